"""Optional OpenTelemetry traces: from the producer's headers through sign and match to the published answer.

Off unless ``OTEL_TRACES_EXPORTER`` names an exporter (``console``, or ``otlp`` with the package
``opentelemetry-exporter-otlp``); then the extra ``samewire[otel]`` is needed. All else is OpenTelemetry's own
environment: ``OTEL_SERVICE_NAME``, ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_TRACES_SAMPLER`` and so on.

Only articles whose record carries a sampled ``traceparent`` (W3C Trace Context) are traced: the producer
decides how many, and an article without one costs a look at its headers. Each role adds one span, from the
beginning of the article's batch to its commit. Between the roles the context travels in the header
``samewire.traces`` of the signed record, since one of those carries many articles.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import orjson

from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

TRACEPARENT = "traceparent"
SIGNED_TRACES = "samewire.traces"
"""Header of a signed record: JSON, position of the article in the record to its traceparent."""

# version 00, trace id, parent id, flags with the lowest bit (sampled) set
_SAMPLED = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][13579bdf]")
_MAX_HEADER_BYTES = 55

Headers = Sequence[tuple[str, bytes]]


def sampled_parent(headers: Headers) -> str | None:
    """Return the traceparent of a record that its producer traces."""
    for name, value in headers:
        if name == TRACEPARENT and len(value or b"") == _MAX_HEADER_BYTES and _SAMPLED.fullmatch(value):
            return value.decode()
    return None


class Tracing:
    """Spans of the batch that is under way. ``enabled`` is False for the one that does nothing."""

    enabled = False

    def start(self, parent: str, attributes: Mapping[str, str | int]) -> str:  # noqa: ARG002 - does nothing
        """Begin an article's span under ``parent``; returns its own traceparent."""
        return parent

    def committed(self) -> None:
        """End the spans: their articles are published."""

    def aborted(self) -> None:
        """End the spans as failed: their articles come again."""

    def close(self) -> None:
        """Send what is waiting."""


class OpenTelemetry(Tracing):
    """Traces through the OpenTelemetry SDK."""

    enabled = True

    def __init__(self, role: str, provider: Any) -> None:
        self._provider = provider
        self._tracer: Tracer = provider.get_tracer("samewire")
        self._role = role
        self._open: list[Span] = []

    def start(self, parent: str, attributes: Mapping[str, str | int]) -> str:
        """Begin an article's span under ``parent``; returns its own traceparent."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({TRACEPARENT: parent})
        span = self._tracer.start_span(
            f"samewire {self._role}", context, SpanKind.CONSUMER, attributes=dict(attributes)
        )
        self._open.append(span)
        own = span.get_span_context()
        return f"00-{own.trace_id:032x}-{own.span_id:016x}-{int(own.trace_flags):02x}"

    def committed(self) -> None:
        """End the spans: their articles are published."""
        for span in self._open:
            span.end()
        self._open.clear()

    def aborted(self) -> None:
        """End the spans as failed: their articles come again."""
        from opentelemetry.trace import Status, StatusCode

        for span in self._open:
            span.set_status(Status(StatusCode.ERROR, "transaction aborted"))
            span.end()
        self._open.clear()

    def close(self) -> None:
        """Send what is waiting."""
        self._provider.shutdown()


def tracing_from_environment(role: str, environment: Mapping[str, str] | None = None) -> Tracing:
    """Return the tracing that the environment asks for; none of OpenTelemetry is imported without it.

    Raises :class:`SettingsError` when the SDK or the exporter is not installed.
    """
    environment = os.environ if environment is None else environment
    name = environment.get("OTEL_TRACES_EXPORTER", "none").strip() or "none"
    if name == "none" or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Tracing()
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError(
            f"OTEL_TRACES_EXPORTER={name} needs OpenTelemetry: pip install 'samewire[otel]'"
        ) from error
    found = list(entry_points(group="opentelemetry_traces_exporter", name=name))
    if not found:
        raise SettingsError(
            f"OTEL_TRACES_EXPORTER={name}: no such exporter is installed; for otlp: pip install "
            "opentelemetry-exporter-otlp, or use console or none"
        )
    service = environment.get("OTEL_SERVICE_NAME") or f"samewire-{role}"
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(found[0].load()()))
    return OpenTelemetry(role, provider)


def pack_traces(traces: Mapping[int, str]) -> bytes:
    """Return the header of a signed record."""
    return orjson.dumps({str(position): parent for position, parent in traces.items()})


def unpack_traces(header: bytes | None, articles: int) -> dict[int, str]:
    """Read the header of a signed record; what is not as we write it is ignored."""
    if not header:
        return {}
    try:
        found = orjson.loads(header)
        return {
            int(position): parent
            for position, parent in found.items()
            if int(position) < articles and _SAMPLED.fullmatch(parent.encode())
        }
    except (ValueError, AttributeError):
        return {}
