-- Puts an archived job back into the server, so that work on it can resume.
--
-- KEYS: events, hash of the archive pointer, the archive's own retry stream, then the job's lists.
-- ARGV: job id, position in the lists (µs), field, archive pointer as it was read, the job's last outcome ('': none),
--   then its events.
-- Returns 1, or 0 where the pointer has changed since: another process has put the job back.
--
-- The outcome is delivered to the archive again: if no event follows, the job is archived again.
-- A job that isn't archived is listed: one that had left its lists gets the position of its first event, or the next
-- free one. A deleted job is in no list.

if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] or redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for version = 1, #ARGV - 5 do
  redis.call('XADD', KEYS[1], version .. '-0', 'e', ARGV[version + 5])
end
redis.call('HDEL', KEYS[2], ARGV[3])
if ARGV[5] ~= '' then redis.call('XADD', KEYS[3], '*', 'e', ARGV[5]) end
for i = 4, #KEYS do
  if not redis.call('ZSCORE', KEYS[i], ARGV[1]) then
    local position = tonumber(ARGV[2])
    while redis.call('ZCOUNT', KEYS[i], position, position) > 0 do position = position + 1 end
    redis.call('ZADD', KEYS[i], string.format('%.0f', position), ARGV[1])
  end
end
return 1
