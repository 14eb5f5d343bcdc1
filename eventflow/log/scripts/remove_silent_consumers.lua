-- Removes consumers that have been silent for long: a killed worker doesn't remove itself.
--
-- KEYS: the streams. ARGV: group, silence (ms). Returns how many were removed.
--
-- Only where nothing is pending: DELCONSUMER drops pending entries. The next read of a live consumer creates it again.

local removed = 0
for _, stream in ipairs(KEYS) do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, ARGV[1])
  for _, consumer in ipairs(consumers.err and {} or consumers) do
    local about = {}
    for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
    if about.pending == 0 and about.idle >= tonumber(ARGV[2]) then
      redis.call('XGROUP', 'DELCONSUMER', stream, ARGV[1], about.name)
      removed = removed + 1
    end
  end
end
return removed
