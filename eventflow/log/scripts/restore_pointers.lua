-- Writes archive pointers for the jobs in a segment; of several versions of a job the newest counts. Follows
-- segments.lua.
--
-- KEYS: every key that is touched, each once; all of one partition. The first is the hash of segments.
-- ARGV: segment name, number of jobs, then for each job
--     events key, live key, hash of pointers (indices into KEYS), version, field, place
-- Returns for each job: 1 it has a new pointer, 0 the server has the same version or a newer one.
--
-- A stream that is shorter than the archived history is an old copy, and is deleted.

local args, call = ARGV, redis.call
local at = 3

local number = segment_number(KEYS[1], args[1])
local results = {}
for i = 1, tonumber(args[2]) do
  local events, live, pointers = KEYS[tonumber(args[at])], KEYS[tonumber(args[at + 1])], KEYS[tonumber(args[at + 2])]
  local version, field = tonumber(args[at + 3]), args[at + 4]
  local known = call('HGET', pointers, field)
  local present = known and version_of(known) or call('XLEN', events)
  results[i] = 0
  if present < version then
    call('HSET', pointers, field, number .. args[at + 5])
    call('DEL', events, live)
    results[i] = 1
  end
  at = at + 6
end
return results
