-- Takes over entries whose lease has run out.
--
-- KEYS: one stream. ARGV: group, consumer, lease (ms), cursor, how many at most.
-- Returns {next cursor, {{entry id, fields, delivery count}, ...}}.
--
-- XAUTOCLAIM counts the delivery up, which shuts out the former owner, and drops pending ids whose entry is gone.

local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local rows = {}
for i, entry in ipairs(claimed[2]) do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)[1]
  rows[i] = { entry[1], entry[2], pending[4] }
end
return { claimed[1], rows }
