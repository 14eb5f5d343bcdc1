-- Admits waiting jobs where the limit allows it: after the limit was raised, for instance. Follows admission.lua.
--
-- KEYS: the set of admitted jobs. ARGV: base of the key names, topic of requests, its group, most jobs in progress, how
--   many to admit at most. Returns how many jobs are in progress.

local partition = { base = ARGV[1], requests = ARGV[2], group = ARGV[3], limit = tonumber(ARGV[4]) }
admit_next(partition, tonumber(ARGV[5]))
return redis.call('SCARD', KEYS[1])
