-- Reads new entries for a consumer, stream by stream, up to a total.
--
-- KEYS: streams in order of preference. ARGV: group, consumer, most entries in all.
-- Returns {{index into KEYS, {{entry id, fields}, ...}}, ...} for the streams that had some.
--
-- XREADGROUP's own COUNT is per stream: one call would read more than that in all, and as many from every lane.

local free = tonumber(ARGV[3])
local found = {}
for i, stream in ipairs(KEYS) do
  if free <= 0 then break end
  local answer = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', free, 'STREAMS', stream, '>')
  if answer and answer.err then -- earlier streams were read already: the next call raises the error again
    if #found > 0 then return found end
    return answer
  end
  if answer then
    found[#found + 1] = { i, answer[1][2] }
    free = free - #answer[1][2]
  end
end
return found
