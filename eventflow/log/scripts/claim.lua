-- Takes over entries whose lease has run out.
--
-- KEYS: one stream. ARGV: group, consumer, lease (ms), cursor, how many at most, then the ids of entries that the consumer
--   is working on.
-- Returns {next cursor, {{entry id, fields, delivery count}, ...}}.
--
-- XAUTOCLAIM counts the delivery up, which shuts out the former owner, and drops pending ids whose entry is gone.

-- After a pause of the server or of the consumer its own leases may have run out as well. Renewing them and looking for
-- others' has to be one step: else it might take its own work from itself, and do it twice.
if #ARGV > 5 then
  local working = {}
  for i = 6, #ARGV do working[ARGV[i]] = true end
  for _, row in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', 1000, ARGV[2])) do
    if working[row[1]] then redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, row[1], 'JUSTID') end
  end
end

local claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local rows = {}
for i, entry in ipairs(claimed[2]) do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)[1]
  rows[i] = { entry[1], entry[2], pending[4] }
end
return { claimed[1], rows }
