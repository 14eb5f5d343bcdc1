-- Writes tombstones for what is in a segment; of several versions of a job the newest counts.
--
-- KEYS: every key that is touched, each once; all of one partition. The first is the hash of segments.
-- ARGV: segment name, number of jobs, then for each job
--     events key, live key, tombstone hash (indices into KEYS), version, field, place
-- Returns for each job: 1 it has a new tombstone, 0 what the server has is as new, or newer.
--
-- The layout of a tombstone is told in bury.lua. A stream that is shorter than the archived history is an old copy.

local args, keys, call = ARGV, KEYS, redis.call
local at = 3

local function number_of(name)
  local number = call('HGET', keys[1], name)
  if not number then
    number = call('HINCRBY', keys[1], 'count', 1)
    call('HSET', keys[1], name, number, number, name)
  end
  return tonumber(number)
end

local function as_bytes(n) return string.char(math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256) end

local function version_of(tombstone)
  local a, b, c = string.byte(tombstone, 12, 14)
  return a * 65536 + b * 256 + c
end

local number = as_bytes(number_of(args[1]))
local results = {}
for i = 1, tonumber(args[2]) do
  local events, live, graves = keys[tonumber(args[at])], keys[tonumber(args[at + 1])], keys[tonumber(args[at + 2])]
  local version, field = tonumber(args[at + 3]), args[at + 4]
  local known = call('HGET', graves, field)
  local present = known and version_of(known) or call('XLEN', events)
  results[i] = 0
  if present < version then
    call('HSET', graves, field, number .. args[at + 5])
    call('DEL', events, live)
    results[i] = 1
  end
  at = at + 6
end
return results
