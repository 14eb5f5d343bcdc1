-- Trims the feed up to and including an entry, and notes that, so that a reader who is behind can tell.
--
-- KEYS: the feed, the hash of what was trimmed. ARGV: last id that goes, first id that stays. Returns how many went.

redis.call('HSET', KEYS[2], KEYS[1], ARGV[1])
return redis.call('XTRIM', KEYS[1], 'MINID', '=', ARGV[2])
