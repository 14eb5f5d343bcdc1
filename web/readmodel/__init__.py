"""Read models that the web process folds from the log: status, playlists, the queue; read `projection` first.

`job_status`, `hls_editions` and `hls_playlists` do no I/O.
"""
