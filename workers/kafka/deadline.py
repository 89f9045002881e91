"""Time limits for calls that have none of their own."""

import threading
from collections.abc import Callable
from typing import TypeVar

from workers.kafka.errors import DeadlineExceededError

T = TypeVar("T")


def call_within(seconds: float, what: str, call: Callable[[], T]) -> T:
    """Run a blocking call and give up waiting for it after `seconds`.

    The call runs in a daemon thread of its own, since Python cannot interrupt a thread: after a timeout the
    thread is left behind, waiting, and the object that it waits for must be thrown away by the caller.
    Starting the thread costs some 50 µs, nothing beside a transaction.

    Raises:
        DeadlineExceededError: the call has not returned; whether it took effect is unknown.
    """
    result: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            result.append(call())
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            failure.append(error)

    thread = threading.Thread(target=run, name=f"bounded-{what}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise DeadlineExceededError(f"{what} has not returned within {seconds:g} s")
    if failure:
        raise failure[0]
    return result[0]
