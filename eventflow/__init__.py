"""Video jobs as events on Redis Streams: the domain, the log, the consumer runtime, the archive and the stores."""
