-- Puts an archived job back into the server, so that it can go on.
--
-- KEYS: events, tombstone hash, the archive's own retry stream, then the job's lists.
-- ARGV: job id, place in the lists (microseconds), field, tombstone as it was read, the job's last outcome ('' for
--   none), then its events.
-- Returns 1, or 0 where the tombstone has changed meanwhile: somebody else has put it back.
--
-- The outcome goes to the archive once more: should nothing follow, the job is archived again.
-- A job that isn't archived is listed: one that had dropped off its lists comes back to where it began, or to the next
-- place that is free. One that was deleted is in no list.

if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] or redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for version = 1, #ARGV - 5 do
  redis.call('XADD', KEYS[1], version .. '-0', 'e', ARGV[version + 5])
end
redis.call('HDEL', KEYS[2], ARGV[3])
if ARGV[5] ~= '' then redis.call('XADD', KEYS[3], '*', 'e', ARGV[5]) end
for i = 4, #KEYS do
  if not redis.call('ZSCORE', KEYS[i], ARGV[1]) then
    local place = tonumber(ARGV[2])
    while redis.call('ZCOUNT', KEYS[i], place, place) > 0 do place = place + 1 end
    redis.call('ZADD', KEYS[i], string.format('%.0f', place), ARGV[1])
  end
end
return 1
