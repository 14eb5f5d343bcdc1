-- Removes archived jobs from the server, leaves archive pointers, and settles the entries that named them. Follows
-- segments.lua.
--
-- KEYS: every key that is touched, each once; all of one partition. The first is the hash of segments.
-- ARGV: segment name, number of jobs, then for each job
--     events key, live key, hash of pointers (indices into KEYS), version, SHA-1 of the last event (hex), field, place
--   then number of entries, then for each: stream index, group, entry id, 'settle' | 'discard'
-- Returns for each job: 1 it was removed, 0 it has newer events (or was removed before) and is left as it is.
--
-- Raises where the segment's name says that it is older than USABLE_FOR: a segment that no pointer names is an orphan
-- from then on, and may be deleted from the store.
--
-- A job is removed only as it was archived: same length, same last event. The cancel hint of a job that ended early
-- expires by itself.

local USABLE_FOR = 3600 -- seconds; `archive verify` takes no younger segment for an orphan

local args, call = ARGV, redis.call
local at = 3

local function unchanged(events, version, digest)
  if call('XLEN', events) ~= tonumber(version) then return false end
  local last = call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  return redis.sha1hex(last[2][2]) == digest
end

local written_ms = tonumber(string.match(args[1], '^%x%x/(%d+)%-'))
if written_ms and tonumber(call('TIME')[1]) - written_ms / 1000 > USABLE_FOR then
  return redis.error_reply("the segment is over an hour old by the server's clock; its jobs go into a new one")
end

local results, number = {}, nil
for i = 1, tonumber(args[2]) do
  local events, live, pointers = KEYS[tonumber(args[at])], KEYS[tonumber(args[at + 1])], KEYS[tonumber(args[at + 2])]
  results[i] = 0
  if unchanged(events, args[at + 3], args[at + 4]) then
    number = number or segment_number(KEYS[1], args[1])
    call('HSET', pointers, args[at + 5], number .. args[at + 6])
    call('DEL', events)
    if call('HEXISTS', live, 'cancel') == 0 then call('DEL', live) end
    results[i] = 1
  end
  at = at + 7
end
for _ = 1, tonumber(args[at]) do
  local stream = KEYS[tonumber(args[at + 1])]
  redis.pcall('XACK', stream, args[at + 2], args[at + 3])
  if args[at + 4] == 'discard' then redis.pcall('XDEL', stream, args[at + 3]) end
  at = at + 4
end
return results
