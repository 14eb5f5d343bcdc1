"""The HTTP API on aiohttp; read `app` first.

Rooms, lowest first; each imports only lower ones: `deps`, `http`, `readmodel` and `requests`, `routes`, `openapi`,
then `app` and `server`.
"""
