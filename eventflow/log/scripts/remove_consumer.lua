-- Removes a consumer from its group where it has nothing pending: DELCONSUMER drops pending entries.
--
-- KEYS: the streams. ARGV: group, consumer. Returns on how many streams it was removed.

local removed = 0
for _, stream in ipairs(KEYS) do
  local pending = redis.pcall('XPENDING', stream, ARGV[1], '-', '+', 1, ARGV[2])
  if not pending.err and #pending == 0 then
    redis.pcall('XGROUP', 'DELCONSUMER', stream, ARGV[1], ARGV[2])
    removed = removed + 1
  end
end
return removed
