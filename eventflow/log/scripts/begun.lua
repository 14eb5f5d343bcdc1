-- Which workers have begun a delivery of an entry and weren't heard of again: each of them may have died of it. Put in
-- front of the scripts that need it.
--
-- A hash beside the stream, `<stream>:begun:<group>:<entry id>`: delivery count -> consumer. The consumer itself enters a
-- delivery when it begins it, from the second one on; whoever takes the first one over enters that, begun or not, so that
-- a first delivery costs nothing. A consumer that is alive takes its delivery out when it finds that it has lost it, or
-- lets go of it. With the settlement all of it goes; what is left otherwise expires.

local BEGUN_KEPT = 86400 -- seconds; longer than any lease and any silence

local function begun_key(stream, group, entry) return stream .. ':begun:' .. group .. ':' .. entry end

local function enter_begun(key, count, consumer)
  redis.call('HSET', key, count, consumer)
  redis.call('EXPIRE', key, BEGUN_KEPT)
end

local function take_out(key, count, consumer)
  if redis.call('HGET', key, count) == consumer then redis.call('HDEL', key, count) end
end

-- The pending entry's row where it is the consumer's by this delivery count; false where it has become somebody else's.
-- Takes that delivery out then: who asks is alive. A right that is missing isn't a lost lease: it raises.
local function own_row(stream, group, consumer, entry, count)
  local pending = redis.pcall('XPENDING', stream, group, entry, entry, 1)
  if pending.err and (string.find(pending.err, 'NOPERM') or string.find(pending.err, 'ACL failure')) then error(pending) end
  local row = not pending.err and pending[1]
  if row and row[2] == consumer and row[4] == count then return row end
  take_out(begun_key(stream, group, entry), count, consumer)
  return false
end
