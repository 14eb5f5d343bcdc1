-- Takes over entries whose lease has run out. Follows begun.lua.
--
-- KEYS: one stream. ARGV: group, consumer, lease (ms), how many at most, number of deaths that are too many, silence (ms)
--   after which the last of them counts, then the ids of entries that the consumer is working on.
-- Returns {{entry id, fields, delivery count, deaths}, ...}.
--
-- XCLAIM counts the delivery up, which shuts out the former owner, and drops pending ids whose entry is gone.
-- Deaths are workers that have begun the entry and weren't heard of again. One that stands still for a while looks dead:
-- an entry that would come to its end by it is left to it for longer, and is still its own should it come back.

local PAGE = 100
local NEVER = 9007199254740991 -- ms

local stream, group, consumer, lease = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local room, deadly, silence = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- Who looks is heard of (from Redis 7.2 on), whatever there is.
redis.call('XAUTOCLAIM', stream, group, consumer, NEVER, '0-0', 'COUNT', 1, 'JUSTID')

-- After a pause of the server or of the consumer its own leases may have run out as well. Renewing them and looking for
-- others' has to be one step: else it might take its own work from itself, and do it twice.
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
  local key = begun_key(stream, group, entry)
  local deaths, first = deaths_of(key, owner, count)
  if deaths >= deadly and idle < silence and owner ~= 'released' then return end
  local claimed = redis.call('XCLAIM', stream, group, consumer, lease, entry)[1]
  if not claimed then -- gone from the stream, and from what is pending
    redis.call('DEL', key)
    return
  end
  if first then enter_begun(key, count, owner) end
  rows[#rows + 1] = { entry, claimed[2], count + 1, deaths }
end

local rows, from = {}, '-'
while #rows < room do
  local page = redis.call('XPENDING', stream, group, 'IDLE', lease, from, '+', PAGE)
  for _, row in ipairs(page) do
    if #rows >= room then break end
    take_over(rows, row)
  end
  if #page < PAGE then break end
  from = '(' .. page[#page][1]
end
return rows
