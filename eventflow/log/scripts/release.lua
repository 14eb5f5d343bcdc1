-- Lets others take an entry over at once, if it is still ours. The delivery isn't counted.
--
-- KEYS: one stream. ARGV: group, consumer, entry id, delivery count, lease (ms). Returns 1, or 0 where it isn't ours.
--
-- It goes to a consumer that stands for nobody, so that ours can be removed.

local group, consumer, entry, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local pending = redis.pcall('XPENDING', KEYS[1], group, entry, entry, 1)
local row = not pending.err and pending[1]
if not row or row[2] ~= consumer or row[4] ~= count then return 0 end
redis.call(
  'XCLAIM', KEYS[1], group, 'released', 0, entry,
  'IDLE', ARGV[5], 'RETRYCOUNT', math.max(0, count - 1), 'JUSTID'
)
return 1
