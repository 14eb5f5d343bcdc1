"""The HTTP side of requests: bodies, query parameters, idempotency keys, uploads."""
