"""The HTTP side of requests: bodies, query parameters, idempotency keys, uploads; read `bodies` first.

`eventflow.requests` reads the values inside bodies.
"""
