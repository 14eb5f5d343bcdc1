-- Reads a job's events from the server and its archive pointer, as they are at one moment.
--
-- KEYS: events, hash of the archive pointer. ARGV: lowest entry id, field. Returns {entries, pointer or nil}.

return { redis.call('XRANGE', KEYS[1], ARGV[1], '+'), redis.call('HGET', KEYS[2], ARGV[2]) }
