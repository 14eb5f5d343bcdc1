-- Repairs what is derived from a job's history: its entries in the feed, and its live hash.
--
-- KEYS: the job's events, the feed, the live hash.
-- ARGV: job id, version of the job, id of the feed's last entry when it was read ('-': none),
--   number of feed entries to remove, their ids, number of versions to append, for each: version, type,
--   number of live fields to remove, their names, 'cancel' to set the cancel hint or ''
-- Returns 1, or 0 (nothing was written) where the job has newer events, or the feed has new entries of it.

local job, version, position = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local at = 3
local function next_arg()
  at = at + 1
  return ARGV[at]
end
local function next_list(width)
  local list = {}
  for i = 1, tonumber(next_arg()) * width do list[i] = next_arg() end
  return list
end

local drop, append, fields, hint = next_list(1), next_list(2), next_list(1), next_arg()

if redis.call('XLEN', KEYS[1]) ~= version then return 0 end
local newer = #append == 0 and {} or redis.call('XRANGE', KEYS[2], position == '-' and '-' or '(' .. position, '+')
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
