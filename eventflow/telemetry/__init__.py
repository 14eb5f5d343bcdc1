"""Telemetry: structured logs (`logs`), one trace per job (`tracing`), and the ids and causes that events carry."""
