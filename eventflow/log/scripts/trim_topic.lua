-- Trims a topic's stream behind the slowest of the groups that are registered for it.
--
-- KEYS: the stream, the registry.
-- ARGV: topic, newest time (ms) that may be trimmed, then the groups that have to be registered for anything to be trimmed.
-- Returns how many entries were trimmed.
--
-- Entries that a registered group hasn't read or acknowledged stay: from its lowest pending entry on, or from the one
-- after its last delivered. A registered group that is missing on the stream was lost, and will read all of it again:
-- nothing is trimmed. A group that isn't registered, an orphan, holds nothing up.

local stream, topic = KEYS[1], ARGV[1]
local waits = {}
local registry = redis.call('HGETALL', KEYS[2])
for i = 1, #registry, 2 do
  for _, read in ipairs(cjson.decode(registry[i + 1]).topics) do
    if read == topic then waits[registry[i]] = true end
  end
end
for i = 3, #ARGV do
  if not waits[ARGV[i]] then return 0 end
end

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local ms, seq = tonumber(ARGV[2]) + 1, 0 -- the first id that stays
local function keep_from(other_ms, other_seq)
  if other_ms < ms or (other_ms == ms and other_seq < seq) then ms, seq = other_ms, other_seq end
end

local groups = redis.pcall('XINFO', 'GROUPS', stream)
if groups.err then return 0 end
for _, group in ipairs(groups) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  if waits[about.name] then
    waits[about.name] = nil
    if about.pending > 0 then
      keep_from(parts(redis.call('XPENDING', stream, about.name)[2]))
    else
      local last_ms, last_seq = parts(about['last-delivered-id'])
      keep_from(last_ms, last_seq + 1)
    end
  end
end
if next(waits) then return 0 end

return redis.call('XTRIM', stream, 'MINID', '=', string.format('%.0f-%.0f', ms, seq))
