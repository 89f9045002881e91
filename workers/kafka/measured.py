"""The observer that turns what workers report into Prometheus metrics and readiness."""

from workers.health import Health
from workers.metrics import Metrics


class MeasuredObserver:
    """Implements :class:`workers.kafka.observer.Observer` on a metrics registry."""

    def __init__(self, metrics: Metrics, health: Health | None = None) -> None:
        self._metrics = metrics
        self._health = health
        self._children = 0

    def batch_processed(self, records: int, seconds: float) -> None:
        """The steps measure their batches themselves."""

    def transaction_committed(self, seconds: float, records: int) -> None:
        self._metrics.count("transactions_committed")
        if self._health is not None:
            self._health.clear("publishing")
        self._metrics.observe("transaction_seconds", seconds)

    def transaction_aborted(self, reason: str) -> None:
        self._metrics.count("transactions_aborted", reason=reason)
        if self._health is not None:
            self._health.block("publishing", f"the last transaction was undone: {reason}")

    def producer_rebuilt(self, reason: str) -> None:
        self._metrics.count("producer_rebuilds")

    def rebalanced(self, kind: str, partitions: int) -> None:
        self._metrics.count("rebalances", kind=kind)

    def lag(self, topic: str, partition: int, records: int) -> None:
        self._metrics.set("lag_records", records, topic=topic, partition=str(partition))

    def released(self, topic: str, partition: int) -> None:
        self._metrics.forget("lag_records", topic=topic, partition=str(partition))

    def broker_failed(self, kind: str, error: str) -> None:
        self._metrics.count("broker_failures", kind=kind)
        if self._health is not None:
            self._health.not_ready(f"broker_{kind}", error)

    def dead_lettered(self, records: int) -> None:
        """The steps count dead letters by reason."""

    def records_expired(self, topic: str, partition: int, records: int) -> None:
        self._metrics.count("records_expired", records)

    def child_started(self, name: str) -> None:
        self._children += 1
        self._metrics.set("children_running", self._children)

    def child_ended(self, name: str, exit_code: int) -> None:
        self._children -= 1
        self._metrics.set("children_running", self._children)
        # a negative status is the signal that ended it
        self._metrics.count("children_ended", exit_code="signal" if exit_code < 0 else str(exit_code))
