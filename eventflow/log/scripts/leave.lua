-- Takes a consumer out of its groups, but only where nothing is pending for it: DELCONSUMER drops pending entries.
--
-- KEYS: the streams. ARGV: group, consumer. Returns how many groups it left.

local left = 0
for _, stream in ipairs(KEYS) do
  local pending = redis.pcall('XPENDING', stream, ARGV[1], '-', '+', 1, ARGV[2])
  if not pending.err and #pending == 0 then
    redis.pcall('XGROUP', 'DELCONSUMER', stream, ARGV[1], ARGV[2])
    left = left + 1
  end
end
return left
