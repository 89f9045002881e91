"""The table of metrics, its bounds and its reference page."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.article import REASONS
from tests.conftest import ROOT
from workers.kafka.classify import Failure
from workers.kafka.exit_codes import ExitCode
from workers.kafka.measured import MeasuredObserver
from workers.kafka.rebalance import Change
from workers.memory import memory_limit_bytes
from workers.metric_table import CHANGE, EXIT_CODE, FAILURE, OTHER
from workers.metrics import METRICS, REFERENCE, Metrics, reference


def samples(metrics: Metrics) -> dict[str, float]:
    """Every exposed sample, as Prometheus parses it."""
    return {
        sample.name + "".join(f"[{value}]" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
    }


def test_the_reference_page_is_the_table() -> None:
    assert REFERENCE.read_text("utf-8") == reference(), "run `python -m workers.metrics`"


def test_names_follow_the_prometheus_conventions() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        assert not metric.name.endswith("_total"), "the exposition adds it"
        assert metric.meaning.endswith(".")
        assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|kib|mib)\b", metric.name)
        assert (metric.kind == "histogram") == bool(metric.buckets)
        assert list(metric.buckets) == sorted(set(metric.buckets))
        for label in metric.labels:
            assert bool(label.values) != bool(label.most), "a fixed set or a bound"
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_every_name_that_the_code_uses_is_in_the_table() -> None:
    called = re.compile(r'\.(?:count|set|observe|observe_many|forget|live)\(\s*"([a-z_]+)"')
    known = {metric.name for metric in METRICS}
    used = {
        name
        for file in (ROOT / "workers").rglob("*.py")
        for name in called.findall(file.read_text("utf-8"))
        if "metrics" in file.read_text("utf-8")
    }
    assert used - known == set()
    indirect = {"articles_read", "articles_signed", "articles_clamped", "standby_records_behind"}
    assert known - used - indirect == {"memory_limit_bytes"}


def test_fixed_label_values_are_those_of_the_code() -> None:
    assert set(FAILURE.values) == {*Failure, OTHER}
    assert set(CHANGE.values) == {*(change.value for change in Change), OTHER}
    assert {str(int(code)) for code in ExitCode} <= set(EXIT_CODE.values)


def test_counters_start_at_zero_for_every_known_reason() -> None:
    seen = samples(Metrics())
    for reason in REASONS:
        assert seen[f"samewire_articles_dead_total[{reason}]"] == 0


def test_a_gauge_appears_when_it_is_set_and_goes_when_it_is_forgotten() -> None:
    metrics = Metrics()
    assert "samewire_window_articles" not in samples(metrics)
    metrics.set("lag_records", 7, topic="articles", partition="3")
    assert samples(metrics)["samewire_lag_records[3][articles]"] == 7
    metrics.forget("lag_records", topic="articles", partition="3")
    metrics.forget("lag_records", topic="articles", partition="3")
    assert "samewire_lag_records[3][articles]" not in samples(metrics)


def test_a_histogram_takes_a_batch_at_once() -> None:
    metrics = Metrics()
    metrics.observe_many("cluster_articles", np.array([1.0, 1.0, 2.0, 7.0, 1e9]))
    metrics.observe("cluster_articles", 3)
    metrics.observe_many("cluster_articles", np.empty(0))
    seen = samples(metrics)
    assert seen["samewire_cluster_articles_bucket[1.0]"] == 2
    assert seen["samewire_cluster_articles_bucket[2.0]"] == 3
    assert seen["samewire_cluster_articles_bucket[10.0]"] == 5
    assert seen["samewire_cluster_articles_bucket[+Inf]"] == seen["samewire_cluster_articles_count"] == 6
    assert seen["samewire_cluster_articles_sum"] == 1e9 + 14


def test_hostile_input_adds_no_series() -> None:
    metrics = Metrics()
    observer = MeasuredObserver(metrics)
    for number in range(256):
        observer.lag("articles", number, 1)
        metrics.set("restoring_records", 1, desk=str(number))
    before = len(samples(metrics))
    for number in range(300_000):
        metrics.count("articles_dead", reason=f"made up {number}")
        metrics.count("articles_published", relation=f"like {number}")
        metrics.set("restoring_records", 1, desk=f"desk {number}")
        observer.transaction_aborted(f"why {number}")
        observer.rebalanced(f"kind {number}", 1)
    for number in range(1000):
        observer.lag(f"topic {number}", number, 1)
        observer.child_ended("child", number)
        metrics.set("build_info", 1, version=str(number), engine=str(number), command=str(number))
    added = len(samples(metrics)) - before
    bound = 8 * 1025  # topics times partitions, `other` among them
    assert added < bound
    assert samples(metrics)["samewire_articles_dead_total[other]"] == 300_000


def test_a_wrong_label_is_a_mistake_of_the_code() -> None:
    with pytest.raises(KeyError, match="reason"):
        Metrics().count("articles_dead")
    with pytest.raises(KeyError):
        Metrics().count("articles_dead", cause="nul")


@pytest.mark.skipif(sys.platform != "linux", reason="reads control groups")
def test_the_memory_limit_is_the_tightest_of_the_groups(tmp_path: Path) -> None:
    machine = memory_limit_bytes(tmp_path, tmp_path / "none")
    assert machine > 1 << 28
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_limit_bytes(tmp_path, tmp_path / "none") == machine
    inner = tmp_path / "system.slice" / "samewire.service"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner.parent / "memory.max").write_text("4096\n")
    (tmp_path / "self").write_text("0::/system.slice/samewire.service\n")
    assert memory_limit_bytes(tmp_path, tmp_path / "self") == 4096
