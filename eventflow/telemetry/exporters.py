"""Exporters of spans, chosen by EVENTFLOW_TRACES."""

from __future__ import annotations

from typing import cast

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

from eventflow.settings import Settings, SettingsError


def tracer_provider(settings: Settings) -> TracerProvider | None:
    if settings.traces == "off":
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": "eventflow"}))
    provider.add_span_processor(BatchSpanProcessor(_exporter(settings.traces)))
    return provider


def _exporter(kind: str) -> SpanExporter:
    if kind == "console":
        return ConsoleSpanExporter()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise SettingsError(["EVENTFLOW_TRACES=otlp needs the otlp extra: pip install eventflow[otlp]"]) from error
    return cast(SpanExporter, OTLPSpanExporter())
