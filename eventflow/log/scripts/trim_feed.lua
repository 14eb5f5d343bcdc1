-- Trims the feed up to and including an entry, and records that, so that a reader that is behind notices.
--
-- KEYS: the feed, the hash of trimmed ids. ARGV: last id to trim, first id that stays. Returns how many were trimmed.

redis.call('HSET', KEYS[2], KEYS[1], ARGV[1])
return redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[2])
