-- Begins a replay: sets a group to its first entry on every stream of a partition and records that, all at once.
--
-- KEYS: the hash of replays, the set of delivered events, then streams. ARGV: group, id after which to read, record.

for i = 3, #KEYS do
  local made = redis.pcall('XGROUP', 'CREATE', KEYS[i], ARGV[1], ARGV[2], 'MKSTREAM')
  if made.err then redis.call('XGROUP', 'SETID', KEYS[i], ARGV[1], ARGV[2]) end
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
