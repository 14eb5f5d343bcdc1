-- Releases an entry to other consumers, if the consumer still holds it. Follows begun_deliveries.lua.
--
-- KEYS: one stream. ARGV: group, consumer, entry id, delivery count, new delivery count, idle time it gets (ms).
-- Returns 1, or 0 where it has lost the lease.
--
-- The entry goes to a consumer that no process is, so that the releasing one can be removed.

local group, consumer, entry, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not own_row(KEYS[1], group, consumer, entry, count) then return 0 end
remove_begun(KEY.begun(KEYS[1], group, entry), count, consumer)
redis.call('XCLAIM', KEYS[1], group, 'released', 0, entry, 'IDLE', ARGV[6], 'RETRYCOUNT', ARGV[5], 'JUSTID')
return 1
