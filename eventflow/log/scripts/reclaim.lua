-- Takes over entries whose lease has expired. Follows begun_deliveries.lua.
--
-- KEYS: one stream. ARGV: group, consumer, lease (ms), how many at most, number of deaths that are too many, silence (ms)
--   after which the last of them counts, then the ids of entries that the consumer is working on.
-- Returns {{entry id, fields, delivery count, deaths}, ...}.
--
-- XCLAIM increments the delivery count, which fences the former owner off, and drops pending ids whose entry is gone.
-- Deaths are consumers that have begun the entry and haven't been heard of since. A consumer that is only suspended looks
-- dead: an entry that one more death would end is left to it for longer, and is still its own should it come back.

local PAGE = 100
local NEVER = 9007199254740991 -- ms

local stream, group, consumer, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local most, deadly, silence = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- Marks the consumer as seen (Redis 7.2 and later), whether or not there are entries.
redis.call('XAUTOCLAIM', stream, group, consumer, NEVER, '0-0', 'COUNT', 1, 'JUSTID')

-- After a pause of the server or of the consumer its own leases may have expired as well. They are renewed in the same
-- step that takes over others: else it might take its own work from itself, and do it twice.
if #ARGV > 6 then
  local working = {}
  for i = 7, #ARGV do working[ARGV[i]] = true end
  for _, row in ipairs(redis.call('XPENDING', stream, group, 'IDLE', lease, '-', '+', 1000, consumer)) do
    if working[row[1]] then redis.call('XCLAIM', stream, group, consumer, 0, row[1], 'JUSTID') end
  end
end

local function deaths_of(key, owner, count)
  local unsettled_first = count == 1 and owner ~= consumer and owner ~= 'released'
  return redis.call('HLEN', key) + (unsettled_first and 1 or 0), unsettled_first
end

local function take_over(rows, row)
  local entry, owner, idle, count = row[1], row[2], row[3], row[4]
  local begun = KEY.begun(stream, group, entry)
  local deaths, first = deaths_of(begun, owner, count)
  if deaths >= deadly and idle < silence and owner ~= 'released' then return end
  local claimed = redis.call('XCLAIM', stream, group, consumer, lease, entry)[1]
  if not claimed then -- gone from the stream, and now from the pending entries
    redis.call('DEL', begun)
    return
  end
  if first then enter_begun(begun, count, owner) end
  rows[#rows + 1] = { entry, claimed[2], count + 1, deaths }
end

local rows, from = {}, '-'
while #rows < most do
  local page = redis.call('XPENDING', stream, group, 'IDLE', lease, from, '+', PAGE)
  for _, row in ipairs(page) do
    if #rows >= most then break end
    take_over(rows, row)
  end
  if #page < PAGE then break end
  from = '(' .. page[#page][1]
end
return rows
