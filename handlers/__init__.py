"""What reacts to events: generation, upload and metadata, each a consumer group of its own."""
