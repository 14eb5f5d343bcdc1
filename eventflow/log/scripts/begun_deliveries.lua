-- The consumers that have begun a delivery of an entry and haven't been heard of since: each may have died of it.
-- Prepended to the scripts that use it.
--
-- KEY.begun names a hash beside the stream: delivery count -> consumer. A consumer enters a delivery when it begins it,
-- from the second delivery on. The first one is entered by the consumer that takes the entry over, begun or not, so that
-- a first delivery costs nothing. A live consumer removes its delivery when it notices that it has lost the lease, or
-- when it releases the entry. The settlement removes the whole hash; otherwise it expires.

local BEGUN_KEPT = 86400 -- seconds; longer than any lease and any silence

local function enter_begun(key, count, consumer)
  redis.call('HSET', key, count, consumer)
  redis.call('EXPIRE', key, BEGUN_KEPT)
end

local function remove_begun(key, count, consumer)
  if redis.call('HGET', key, count) == consumer then redis.call('HDEL', key, count) end
end

-- The row of the pending entry where the consumer holds it by this delivery count; false where it has lost it. Then its
-- delivery is removed from those begun: a consumer that asks is alive. A missing right is no lost lease: it raises.
local function own_row(stream, group, consumer, entry, count)
  local pending = redis.pcall('XPENDING', stream, group, entry, entry, 1)
  if pending.err and (string.find(pending.err, 'NOPERM') or string.find(pending.err, 'ACL failure')) then error(pending) end
  local row = not pending.err and pending[1]
  if row and row[2] == consumer and row[4] == count then return row end
  remove_begun(KEY.begun(stream, group, entry), count, consumer)
  return false
end
