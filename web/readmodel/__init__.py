"""Read models that the web process folds from the log: status, playlists, the queue; read `projection` first.

`view_fold`, `hls_editions` and `hls_playlists` do no I/O.
"""
