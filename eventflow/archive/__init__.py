"""The archive: histories of finished jobs in segments in the object store, found by archive pointers.

Read `archiver` first: it moves finished jobs into a segment (`segment` is the format, `segment_store` the store) and
leaves archive pointers in the server. `reader` serves archived jobs, `restore` fills an empty server, `verify` checks
everything, `backfill` replays old events to a group. `maintenance` is the process that runs the archiver,
`list_expiry`, trimming and the `deletion_policy`.
"""
