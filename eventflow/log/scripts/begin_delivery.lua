-- Records that a consumer begins a delivery. Follows begun_deliveries.lua.
--
-- KEYS: one stream. ARGV: group, consumer, entry id, delivery count. Returns 1, or 0 where it has lost the lease.

local group, consumer, entry, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not own_row(KEYS[1], group, consumer, entry, count) then return 0 end
enter_begun(KEY.begun(KEYS[1], group, entry), count, consumer)
return 1
