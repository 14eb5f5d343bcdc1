-- Puts an archived job back into the server, so that it can go on.
--
-- KEYS: events, tombstone hash, the archive's own retry stream.
-- ARGV: field, tombstone as it was read, the job's last outcome ('' for none), then its events.
-- Returns 1, or 0 where the tombstone has changed meanwhile: somebody else has put it back.
--
-- The outcome goes to the archive once more: should nothing follow, the job is archived again.

if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] or redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for version = 1, #ARGV - 3 do
  redis.call('XADD', KEYS[1], version .. '-0', 'e', ARGV[version + 3])
end
redis.call('HDEL', KEYS[2], ARGV[1])
if ARGV[3] ~= '' then redis.call('XADD', KEYS[3], '*', 'e', ARGV[3]) end
return 1
