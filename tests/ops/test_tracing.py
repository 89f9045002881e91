"""A trace goes from the producer's header through sign and match to the published answer."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from config.settings import load_settings
from pipeline.engine import Engine
from pipeline.errors import SettingsError
from tests.conftest import ROOT, SAMPLE
from tests.unit.kafka.records import FakeRecord
from workers.health import Health
from workers.kafka.match import MatchStep
from workers.kafka.records import Outgoing
from workers.kafka.sign import SignStep
from workers.metrics import Metrics
from workers.tracing import (
    TRACEPARENT,
    OpenTelemetry,
    Tracing,
    pack_traces,
    sampled_parent,
    tracing_from_environment,
    unpack_traces,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_trace_reaches_the_answer_through_both_roles(engine: Engine) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = load_settings()
    sign = SignStep(engine, settings, Metrics(), Health(), OpenTelemetry("sign", provider))
    lines = SAMPLE.read_bytes().splitlines()[:8]
    traced = orjson.loads(lines[5])["id"]
    records = [
        FakeRecord(0, number, line, headers=[(TRACEPARENT, PARENT.encode())] if number == 5 else [])
        for number, line in enumerate(lines)
    ]
    signed = sign.process(records).records
    assert exporter.get_finished_spans() == ()
    sign.committed()
    (first,) = exporter.get_finished_spans()
    assert first.name == "samewire sign"

    match = MatchStep(
        engine.fingerprint, settings, Metrics(), Health(), never, OpenTelemetry("match", provider)
    )
    match._desk(0).owned = True
    out = match.process([incoming(each) for each in signed]).records
    match.committed()
    second = exporter.get_finished_spans()[1]
    assert second.name == "samewire match"
    assert second.parent is not None
    assert first.context is not None
    assert second.parent.span_id == first.context.span_id
    assert second.attributes is not None
    assert second.attributes["samewire.article_id"] == traced
    headers = {each.key: dict(each.headers) for each in out if each.topic == settings.kafka.topics.clustered}
    assert headers.pop(traced.encode())[TRACEPARENT].startswith(f"00-{TRACE}-".encode())
    assert not any(headers.values())


def never(_at: Any) -> Any:
    """A replay that must not be asked for."""
    raise AssertionError


def incoming(sent: Outgoing) -> Any:
    """What a consumer makes of a sent record."""
    return FakeRecord(0, 0, sent.value, sent.key, sent.topic, headers=list(sent.headers))


def test_an_undone_batch_ends_its_spans_as_failed() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = OpenTelemetry("sign", provider)
    tracing.start(PARENT, {})
    tracing.aborted()
    tracing.committed()
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code.name == "ERROR"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"00-" + b"0" * 52,
        PARENT[:-2].encode() + b"00",
        PARENT.upper().encode(),
        b"x" * 55,
        PARENT.encode() * 2,
    ],
)
def test_other_headers_are_no_trace(header: bytes) -> None:
    assert sampled_parent([(TRACEPARENT, header)]) is None


def test_the_header_between_the_roles_is_checked() -> None:
    assert unpack_traces(pack_traces({3: PARENT}), 4) == {3: PARENT}
    broken: Sequence[bytes | None] = (
        None,
        b"",
        b"{",
        b"[]",
        b'{"x": 1}',
        b'{"0": "made up"}',
        pack_traces({9: PARENT}),
    )
    for header in broken:
        assert unpack_traces(header, 4) == {}


def test_off_unless_configured_and_then_nothing_is_imported() -> None:
    assert type(tracing_from_environment("sign", {})) is Tracing
    assert type(tracing_from_environment("sign", {"OTEL_TRACES_EXPORTER": "none"})) is Tracing
    code = (
        "import sys; from workers.tracing import tracing_from_environment as t; t('sign', {});"
        "import workers.cli, workers.kafka.sign, workers.kafka.match;"
        "sys.exit(any(m.startswith('opentelemetry') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_an_exporter_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match="OTEL_TRACES_EXPORTER=zipkin: no such exporter"):
        tracing_from_environment("sign", {"OTEL_TRACES_EXPORTER": "zipkin"})
    tracing = tracing_from_environment("sign", {"OTEL_TRACES_EXPORTER": "console"})
    assert tracing.enabled
    tracing.close()
