-- Takes archived jobs out of the server, puts a tombstone in their place, and settles the entries that called for it.
--
-- KEYS: every key that is touched, each once; all of one partition. The first is the hash of segments.
-- ARGV: segment name, number of jobs, then for each job
--     events key, live key, tombstone hash (indices into KEYS), version, SHA-1 of the last event (hex), field, place
--   then number of entries, then for each: stream index, group, entry id, 'settle' | 'discard'
-- Returns for each job: 1 it was taken out, 0 it has moved on (or was taken out before) and is left as it is.
--
-- Raises where the segment is older than BURIED_WITHIN by its name: one that nothing points at is an orphan by and by,
-- and may be removed from the store.
--
-- A job is taken out only as it was archived: same length, same last event. The note that stops late workers of a job
-- that has ended early expires by itself.
-- A tombstone is the segment's number (3 bytes), then the place as it was given: offset (4), length (4) and
-- version (3), all big-endian.

local BURIED_WITHIN = 3600 -- seconds; `verify` takes nothing younger for an orphan

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

local function unchanged(events, version, digest)
  if call('XLEN', events) ~= tonumber(version) then return false end
  local last = call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  return redis.sha1hex(last[2][2]) == digest
end

local written_ms = tonumber(string.match(args[1], '^%x%x/(%d+)%-'))
if written_ms and tonumber(call('TIME')[1]) - written_ms / 1000 > BURIED_WITHIN then
  return redis.error_reply('the segment is over an hour old by the clock of the server; its jobs are archived anew')
end

local results, number = {}, nil
for i = 1, tonumber(args[2]) do
  local events, live, graves = keys[tonumber(args[at])], keys[tonumber(args[at + 1])], keys[tonumber(args[at + 2])]
  results[i] = 0
  if unchanged(events, args[at + 3], args[at + 4]) then
    number = number or as_bytes(number_of(args[1]))
    call('HSET', graves, args[at + 5], number .. args[at + 6])
    call('DEL', events)
    if call('HEXISTS', live, 'cancel') == 0 then call('DEL', live) end
    results[i] = 1
  end
  at = at + 7
end
for _ = 1, tonumber(args[at]) do
  local stream = keys[tonumber(args[at + 1])]
  redis.pcall('XACK', stream, args[at + 2], args[at + 3])
  if args[at + 4] == 'discard' then redis.pcall('XDEL', stream, args[at + 3]) end
  at = at + 4
end
return results
