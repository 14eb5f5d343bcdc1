-- Redrives a dead letter to its group alone: moves it from the dead letters to the group's retry stream.
--
-- KEYS: the dead letters, the retry stream. ARGV: entry id. Returns 1, or 0 where there is no such dead letter.
--
-- It becomes a new entry, whose delivery count begins at 1. The topic and the groups' positions in it stay as they are.

local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not found then return 0 end
local payload = ''
for i = 1, #found[2], 2 do
  if found[2][i] == 'e' then payload = found[2][i + 1] end
end
redis.call('XADD', KEYS[2], '*', 'e', payload)
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
