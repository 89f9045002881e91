"""The observer that turns what workers report into Prometheus metrics."""

from workers.metrics import Metrics

# Exception names and the like are bounded, but a label must not depend on that.
MAX_REASON_CHARACTERS = 40


class MeasuredObserver:
    """Implements :class:`workers.kafka.observer.Observer` on a metrics registry."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def batch_processed(self, records: int, seconds: float) -> None:
        """The steps measure their batches themselves."""

    def transaction_committed(self, seconds: float, records: int) -> None:
        self._metrics.count("transactions_committed")
        self._metrics.observe("transaction_seconds", seconds)

    def transaction_aborted(self, reason: str) -> None:
        self._metrics.count("transactions_aborted", reason=reason[:MAX_REASON_CHARACTERS])

    def producer_rebuilt(self, reason: str) -> None:
        self._metrics.count("producer_rebuilds")

    def rebalanced(self, kind: str, partitions: int) -> None:
        self._metrics.count("rebalances", kind=kind)

    def lag(self, topic: str, partition: int, records: int) -> None:
        self._metrics.set("lag_records", records, topic=topic, partition=str(partition))

    def dead_lettered(self, records: int) -> None:
        """The steps count dead letters by reason."""

    def records_expired(self, topic: str, partition: int, records: int) -> None:
        self._metrics.count("records_expired", records)

    def child_ended(self, name: str, exit_code: int) -> None:
        self._metrics.count("children_ended", exit_code=str(exit_code))
