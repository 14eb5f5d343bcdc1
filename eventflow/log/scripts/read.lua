-- Takes new entries for a consumer, from the first stream on, as many as it has room for in all.
--
-- KEYS: streams in order of preference. ARGV: group, consumer, room (entries).
-- Returns {{index into KEYS, {{entry id, fields}, ...}}, ...} for the streams that had some.
--
-- XREADGROUP's own COUNT is for each stream, so that one call would take more than there is room for, and from all
-- lanes alike.

local room = tonumber(ARGV[3])
local found = {}
for i, stream in ipairs(KEYS) do
  if room <= 0 then break end
  local answer = redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', room, 'STREAMS', stream, '>')
  if answer and answer.err then  -- what was taken so far is taken: the next call says the error again
    if #found > 0 then return found end
    return answer
  end
  if answer then
    found[#found + 1] = { i, answer[1][2] }
    room = room - #answer[1][2]
  end
end
return found
