-- Notes that a consumer begins an entry. Follows begun.lua.
--
-- KEYS: one stream. ARGV: group, consumer, entry id, delivery count. Returns 1, or 0 where it isn't ours.

local group, consumer, entry, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if not own_row(KEYS[1], group, consumer, entry, count) then return 0 end
enter_begun(begun_key(KEYS[1], group, entry), count, consumer)
return 1
