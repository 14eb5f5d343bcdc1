"""The archive: histories of finished jobs in segments in the object store, found again by tombstones in the server."""
