-- Mends what is kept beside a job's history: its entries in the feed, and its live hash.
--
-- KEYS: the job's stream, the feed, the live hash.
-- ARGV: version of the job, id of the feed's last entry that was looked at ('-': none),
--   number of feed entries to remove, their ids, number of versions to name, for each: version, type,
--   number of live fields to remove, their names, 'cancel' to set the hint or ''
-- Returns 1, or 0 (nothing was written) where the job has moved, or another process has named versions of it meanwhile.

local at = 2
local function take()
  at = at + 1
  return ARGV[at]
end
local function take_list(width)
  local list = {}
  for i = 1, tonumber(take()) * width do list[i] = take() end
  return list
end

local drop, append, fields, hint = take_list(1), take_list(2), take_list(1), take()
local job = string.sub(KEYS[1], -42, -8)

if redis.call('XLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
local newer = #append == 0 and {} or redis.call('XRANGE', KEYS[2], ARGV[2] == '-' and '-' or '(' .. ARGV[2], '+')
for _, entry in ipairs(newer) do
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'j' and entry[2][i + 1] == job then return 0 end
  end
end

for _, id in ipairs(drop) do redis.call('XDEL', KEYS[2], id) end
for i = 1, #append, 2 do redis.call('XADD', KEYS[2], '*', 'j', job, 'v', append[i], 't', append[i + 1]) end
for _, name in ipairs(fields) do redis.call('HDEL', KEYS[3], name) end
if hint == 'cancel' then redis.call('HSET', KEYS[3], 'cancel', 1) end
return 1
