-- Registers that a group reads topics: trimming waits for it from now on.
--
-- KEYS: the registry. ARGV: group, topics. Members of a group may read different topics; all of them count.
-- Returns 1, or 0 where nothing was new.

local known = redis.call('HGET', KEYS[1], ARGV[1])
local entry = known and cjson.decode(known) or { since = tonumber(redis.call('TIME')[1]), topics = {} }
local has, changed = {}, not known
for _, topic in ipairs(entry.topics) do has[topic] = true end
for i = 2, #ARGV do
  if not has[ARGV[i]] then
    table.insert(entry.topics, ARGV[i])
    changed = true
  end
end
if changed then redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(entry)) end
return changed and 1 or 0
