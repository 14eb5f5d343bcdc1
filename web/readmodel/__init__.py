"""Read models that the web process folds from the log: status, playlists, the queue."""
