"""Tools that read the log again: a job's past, and repairs of data derived from histories.

`rebuild` is the whole run: `scan` folds every job, `difference` says how feed, deliveries, live hashes and served
statuses differ (with `feed_check`, `outstanding`, `served`), `inspect` looks at suspects, `repair` repairs them.
`history` shows a job at an earlier version.
"""
