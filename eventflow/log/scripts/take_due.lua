-- Delivers the next entries of a stream that are old enough; younger ones stay undelivered.
--
-- KEYS: one stream. ARGV: group, consumer, newest time (ms), how many at most, newest time (ms) of the first where they
--   are fewer.
-- Returns {{entry id, fields}, ...}. Raises NOGROUP.

local last
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  if about.name == ARGV[1] then last = about['last-delivered-id'] end
end
if not last then return redis.error_reply('NOGROUP of that name') end
local due = redis.call('XRANGE', KEYS[1], '(' .. last, ARGV[3], 'COUNT', ARGV[4])
if #due == 0 then return {} end
if #due < tonumber(ARGV[4]) and tonumber(string.match(due[1][1], '^%d+')) > tonumber(ARGV[5]) then return {} end
local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', #due, 'STREAMS', KEYS[1], '>')
return read and read[1][2] or {}
