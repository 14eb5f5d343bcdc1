"""The event log on Redis Streams: job histories, consumer groups, dead letters, archive pointers.

Read `event_store` first: a job's events are read, folded, decided on and appended. It writes through `commit`, whose
script `scripts/commit.lua` checks claim and version, appends, routes and settles: all of it or none.

    event_store       job histories: load, execute, submit (with codec, job_lists, durable_writes, idempotency_keys)
    commit            the atomic commit, batched per partition
    keys              the names of all Redis keys, for Python and for the scripts
    consumer          a group's member: read, reclaim, renew leases (with groups, members, queue_position)
    dead_letters      deliveries that no worker could handle
    feed              readers by position, for the web processes
    trim              removes entries that all groups have handled
    archive_pointers  archived jobs, and moves to and from the archive (eventflow.archive)
    connection        clients, time-outs, scripts (with cluster, deadline, server_check, server_url, error_codes)

The keys of a partition share a hash tag, so that every script runs in one slot of a cluster.
"""
