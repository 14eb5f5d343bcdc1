"""The event log on Redis Streams: commit, consume, lease, delay, park, tail."""
