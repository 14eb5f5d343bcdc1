-- Sends a parked delivery again, to its group alone: it leaves the parked stream as it enters the group's retry stream.
--
-- KEYS: the parked stream, the retry stream. ARGV: entry id. Returns 1, or 0 where nothing is parked under it.
--
-- It is a new entry, whose deliveries are counted anew. The topic and the groups' positions in it aren't touched.

local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not found then return 0 end
local payload = ''
for i = 1, #found[2], 2 do
  if found[2][i] == 'e' then payload = found[2][i + 1] end
end
redis.call('XADD', KEYS[2], '*', 'e', payload)
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
