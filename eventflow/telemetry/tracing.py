"""One trace per job: each step's span continues the trace that its event carries.

The envelope's traceparent is W3C Trace Context. Without a tracer provider no span is recorded, but events still carry
the trace id, so that logs and later spans agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from eventflow.domain.envelope import Envelope

_PROPAGATOR = TraceContextTextMapPropagator()
Attributes = Mapping[str, str | int]


class Tracing:
    """Opens spans. `provider` is an OpenTelemetry tracer provider, or None to record nothing."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer: Tracer | None = provider.get_tracer("eventflow") if provider else None

    def span(
        self,
        name: str,
        parent: str,
        *,
        kind: SpanKind = SpanKind.CONSUMER,
        attributes: Attributes | None = None,
    ) -> AbstractContextManager[tuple[str, Span | None]]:
        """Open a span under `parent` (a traceparent); yields the traceparent for its effects, and the span.

        An exception that leaves the block is recorded on the span, which then has an error status.
        """
        if self._tracer is None:
            return nullcontext((parent, None))
        return self._recorded(self._tracer, name, parent, kind, attributes or {})

    def step(self, envelope: Envelope, group: str) -> AbstractContextManager[tuple[str, Span | None]]:
        """Open the span of a step: an event handled by `group`."""
        if self._tracer is None:
            return nullcontext((envelope.traceparent, None))
        attributes: Attributes = {
            "messaging.system": "redis_streams",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": group,
            "eventflow.job_id": envelope.job_id,
            "eventflow.owner": envelope.owner,
            "eventflow.sequence": envelope.seq,
        }
        return self._recorded(
            self._tracer, f"{group} {envelope.type}", envelope.traceparent, SpanKind.CONSUMER, attributes
        )

    @staticmethod
    @contextmanager
    def _recorded(
        tracer: Tracer, name: str, parent: str, kind: SpanKind, attributes: Attributes
    ) -> Iterator[tuple[str, Span | None]]:
        context = _PROPAGATOR.extract({"traceparent": parent})
        with tracer.start_as_current_span(name, context, kind=kind, attributes=dict(attributes)) as span:
            yield traceparent_of(span), span


def traceparent_of(span: Span) -> str:
    """Return the traceparent of a span."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def failed(span: Span | None, description: str) -> None:
    """Mark a span as failed whose step failed without raising."""
    if span is not None:
        span.set_status(StatusCode.ERROR, description)
