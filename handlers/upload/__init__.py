"""The upload group: moves files from the workspace to the delivery store, from which viewers get them.

Start with `handler` (the group), then `uploader` (one file: tries, retries, fallback) and `fallback_reconciler` (files
of the fallback store move to the delivery store later).
"""
