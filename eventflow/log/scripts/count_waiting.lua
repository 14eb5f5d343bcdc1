-- Counts the jobs of a partition that no worker has started. Follows admission.lua.
--
-- KEYS: the hash of admission's counters; only for its slot. ARGV: base of the key names, topic of requests, its group.
-- Returns {jobs that wait, deliveries that the group has read}; null for a figure that the server can't tell.

local waiting, read = count_waiting({ base = ARGV[1], requests = ARGV[2], group = ARGV[3] })
return { waiting, read }
