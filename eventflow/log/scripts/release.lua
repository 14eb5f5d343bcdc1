-- Lets others take an entry over, if it is still ours. Follows begun.lua.
--
-- KEYS: one stream. ARGV: group, consumer, entry id, delivery count, what that becomes, how long it lies idle already (ms).
-- Returns 1, or 0 where it isn't ours.
--
-- It goes to a consumer that stands for nobody, so that ours can be removed.

local group, consumer, entry, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not own_row(KEYS[1], group, consumer, entry, count) then return 0 end
take_out(begun_key(KEYS[1], group, entry), count, consumer)
redis.call('XCLAIM', KEYS[1], group, 'released', 0, entry, 'IDLE', ARGV[6], 'RETRYCOUNT', ARGV[5], 'JUSTID')
return 1
