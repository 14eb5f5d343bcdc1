-- Commits a batch; each commit stands for itself: all of it happens, or none.
--
-- KEYS: every key that the batch touches, each once; all of one partition.
-- ARGV: a flat list, read from left to right:
--   number of commits, then for each commit
--     events key, live key (0 without a hint), feed key (indices into KEYS), expected version,
--     hint ('' | 'cancel' | 'stop' | 'clear'),
--     claim: 'none', or 'hold' | 'settle' | 'discard' + stream index, group, consumer, entry id, delivery count
--     number of events, number of delayed, number of parked
--     for each event: type, payload, topic index (0: history only)
--     for each delayed: delayed index, due (ms), member
--     for each parked: parked index, number of fields, field, value, ...
-- Returns for each commit: {'ok', version} | {'lost', 0} | {'conflict', present version} | {'error', text}.
--
-- Scripts don't roll back, so claim and version are checked before the first write.
-- hold: check the claim, keep it; settle: XACK; discard: XACK and XDEL (for streams read by one group alone).
-- A hint of 'stop' leaves a note for an hour, so that every worker of a job that has ended early hears of it.
-- A job's stream is never trimmed and its ids are 1-0, 2-0, ...: its length is the job's version.

local args, keys, call = ARGV, KEYS, redis.call
local at = 1

local function owns(stream, group, consumer, entry, count)
  local pending = redis.pcall('XPENDING', stream, group, entry, entry, 1)
  local row = not pending.err and pending[1]
  return row and row[2] == consumer and row[4] == tonumber(count)
end

-- How many arguments the rest of a commit takes, from `from` on.
local function rest(from, events, delayed, parked)
  local next = from + 3 * events + 3 * delayed
  for _ = 1, parked do next = next + 2 + tonumber(args[next + 1]) end
  return next
end

local function append(from, events, job_key, feed, version)
  local job = string.sub(job_key, -42, -8)
  for _ = 1, events do
    version = version + 1
    local payload, topic = args[from + 1], args[from + 2]
    call('XADD', job_key, version .. '-0', 'e', payload)
    call('XADD', feed, '*', 'j', job, 'v', version, 't', args[from])
    if topic ~= '0' then call('XADD', keys[tonumber(topic)], '*', 'e', payload) end
    from = from + 3
  end
  return from, version
end

local function set_aside(from, delayed, parked)
  for _ = 1, delayed do
    call('ZADD', keys[tonumber(args[from])], args[from + 1], args[from + 2])
    from = from + 3
  end
  for _ = 1, parked do
    local fields = tonumber(args[from + 1])
    call('XADD', keys[tonumber(args[from])], '*', unpack(args, from + 2, from + 1 + fields))
    from = from + 2 + fields
  end
end

local function commit()
  local job_key, live, feed = keys[tonumber(args[at])], tonumber(args[at + 1]), keys[tonumber(args[at + 2])]
  local version, hint, claim = tonumber(args[at + 3]), args[at + 4], args[at + 5]
  local stream, group, entry
  local owned = true
  at = at + 6
  if claim ~= 'none' then
    stream, group, entry = keys[tonumber(args[at])], args[at + 1], args[at + 3]
    owned = owns(stream, group, args[at + 2], entry, args[at + 4])
    at = at + 5
  end
  local events, delayed, parked = tonumber(args[at]), tonumber(args[at + 1]), tonumber(args[at + 2])
  local from = at + 3
  at = rest(from, events, delayed, parked)

  if not owned then return { 'lost', 0 } end
  if events > 0 then
    local present = call('XLEN', job_key)
    if present ~= version then return { 'conflict', present } end
    from, version = append(from, events, job_key, feed, version)
  end
  set_aside(from, delayed, parked)
  if hint == 'cancel' then call('HSET', keys[live], 'cancel', 1) end
  if hint == 'clear' or hint == 'stop' then call('DEL', keys[live]) end
  if hint == 'stop' then
    call('HSET', keys[live], 'cancel', 1)
    call('EXPIRE', keys[live], 3600)
  end
  if claim == 'settle' or claim == 'discard' then call('XACK', stream, group, entry) end
  if claim == 'discard' then call('XDEL', stream, entry) end
  return { 'ok', version }
end

local commits = tonumber(args[at])
local results = {}
at = at + 1
for i = 1, commits do
  local fine, result = pcall(commit)
  results[i] = fine and result or { 'error', type(result) == 'table' and result.err or tostring(result) }
end
return results
