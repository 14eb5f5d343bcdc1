-- Enters a job in lists of its partition. Safe to repeat: a job keeps its position.
--
-- KEYS: the hash of the job's archive pointer, the lists (sorted sets). ARGV: job id, field of its archive pointer.
-- A position is the server's time in µs, or one more than the last position where the clock isn't ahead of that: no two
-- jobs of a list share a position, and a new job always comes last, whatever the clock does.
-- An archived job may have left the lists: a late repeat doesn't list it again, as new.

if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then return end
local now = redis.call('TIME')
local time = tonumber(now[1]) * 1000000 + tonumber(now[2])
for i = 2, #KEYS do
  local list = KEYS[i]
  if not redis.call('ZSCORE', list, ARGV[1]) then
    local last = tonumber(redis.call('ZRANGE', list, -1, -1, 'WITHSCORES')[2] or 0)
    redis.call('ZADD', list, string.format('%.0f', math.max(time, last + 1)), ARGV[1])
  end
end
