"""Access: API keys and the owners that they stand for. Read `api_keys`."""
