-- Enters a job in lists of its partition. Safe to repeat: a job keeps its place.
--
-- KEYS: the job's tombstone hash, the lists (sorted sets). ARGV: the job's id, field of its tombstone.
-- A place is the server's time in microseconds, or one more than the last place where the clock isn't ahead of that:
-- within a list no two jobs share a place, and a new one is always the last, whatever the clock does.
-- An archived job may have dropped off the lists: who asks for it late doesn't bring it back, as new.

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
