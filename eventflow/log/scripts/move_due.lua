-- Moves delayed deliveries that are due to the retry stream of their group.
--
-- KEYS: the set of delayed deliveries. ARGV: now (ms), how many at most. Returns how many were moved.
--
-- A member is '<stream>\n<payload>'; the stream has the hash tag of the set, so it is in the same slot.

local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  local stream, payload = string.match(member, '^([^\n]*)\n(.*)$')
  redis.call('XADD', stream, '*', 'e', payload)
  redis.call('ZREM', KEYS[1], member)
end
return #due
