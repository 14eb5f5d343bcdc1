-- Admits those that wait where there is room: after the limit was raised, for instance.
--
-- KEYS: the set of admitted jobs. ARGV: limit, how many at most. Follows admission.lua.

admit_next(string.sub(KEYS[1], 1, -9), tonumber(ARGV[1]), tonumber(ARGV[2]))
return redis.call('SCARD', KEYS[1])
