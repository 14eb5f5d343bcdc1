-- Moves retries that are due from the delayed set to the retry stream of their group.
--
-- KEYS: the delayed set. ARGV: now (ms), how many at most. Returns how many were moved.
--
-- A member is '<stream>\n<payload>'; the stream has the same hash tag as the set, so it is in the same slot.

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  local cut = string.find(member, '\n', 1, true)
  redis.call('XADD', string.sub(member, 1, cut - 1), '*', 'e', string.sub(member, cut + 1))
  redis.call('ZREM', KEYS[1], member)
end
return #due
