-- Where a job is, in one look: events in its stream, or else its tombstone.
--
-- KEYS: events, tombstone hash. ARGV: lowest id, field. Returns {entries, tombstone or nil}.

return { redis.call('XRANGE', KEYS[1], ARGV[1], '+'), redis.call('HGET', KEYS[2], ARGV[2]) }
