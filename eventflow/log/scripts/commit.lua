-- Commits a batch; each commit stands for itself: all of it happens, or none.
--
-- KEYS: feed, delayed, parked; the events key of each commit, in order; then other streams of the same partition.
-- ARGV: a flat list, read from left to right:
--   number of commits, most jobs in progress, then for each commit
--     expected version, mark of its event ('': any), hint ('' | 'cancel' | 'stop' | 'publish' | 'park' | 'resume' | 'request' | 'delete'), number of events
--     for 'stop', 'publish', 'park', 'request' and 'delete': lane, owner, most jobs that may wait before it ('': any number)
--     for each event: type, payload, topic (index into KEYS; 0: history only)
--     claim ('none' | 'hold' | 'settle' | 'discard'), number of delayed, number of parked
--     for a claim: stream (index into KEYS), group, consumer, entry id, delivery count
--     for each delayed: due (ms), member
--     for each parked: number of fields and values, then these
-- The live hash of a job has the name of its events key without ':events'.
-- Returns for each commit: {'ok', version} | {'lost', 0} | {'conflict', present version} | {'other', present version} |
-- {'full', jobs that wait} | {'error', text}.
--
-- Scripts don't roll back, so claim and version are checked before the first write.
-- hold: check the claim, keep it; settle: XACK; discard: XACK and XDEL (for streams read by one group alone).
-- A request isn't routed here, but when the job is admitted (admission.lua); 'stop', 'publish' and 'park' give its place back.
-- A hint of 'delete' takes the job off its lists.
-- A hint of 'stop' leaves a note for an hour, so that every worker of a job that has ended early hears of it.
-- A job's stream is never trimmed and its ids are 1-0, 2-0, ...: its length is the job's version.
-- A server that has lost its newest events may have got others since, up to the very version that a process has folded:
-- the mark tells whether that is the same history ('conflict' where it has only grown) or an'other'. It goes for a
-- settlement without events too, whose reason may be an event that is lost; a job that is archived isn't looked at then.

local args, keys, call = ARGV, KEYS, redis.call
local feed, base = keys[1], string.sub(keys[1], 1, -5)
local commits, limit = tonumber(args[1]), tonumber(args[2])
local at = 3

local function owns(stream, group, consumer, entry, count)
  local pending = redis.pcall('XPENDING', stream, group, entry, entry, 1)
  local row = not pending.err and pending[1]
  return row and row[2] == consumer and row[4] == tonumber(count)
end

-- Where the arguments of the next commit begin; `from` is where those of what is set aside do.
local function after(from, delayed, parked)
  local next = from + 2 * delayed
  for _ = 1, parked do next = next + 1 + tonumber(args[next]) end
  return next
end

-- Of an event's payload, as eventflow.envelope.mark_of takes it. No text inside the payload can hold these quotes.
local function mark_of(entry)
  local payload = entry[2][2]
  local at = string.find(payload, '"time":"', 1, true)
  return at and string.sub(payload, at - 23, at + 33) or ''
end

-- What to answer where the job isn't as it was folded; nil where it is.
local function moved(job_key, version, mark)
  local present = call('XLEN', job_key)
  if mark ~= '' and present > 0 then
    local id = version .. '-0'
    local folded = call('XRANGE', job_key, id, id)[1]
    if not folded or mark_of(folded) ~= mark then return { 'other', present } end
  end
  if present ~= version then return { 'conflict', present } end
end

local function append(from, events, job_key, version)
  local job = string.sub(job_key, -42, -8)
  for _ = 1, events do
    version = version + 1
    local payload, topic = args[from + 1], args[from + 2]
    call('XADD', job_key, version .. '-0', 'e', payload)
    call('XADD', feed, '*', 'j', job, 'v', version, 't', args[from])
    if topic ~= '0' then call('XADD', keys[tonumber(topic)], '*', 'e', payload) end
    from = from + 3
  end
  return version
end

local function set_aside(from, delayed, parked)
  for _ = 1, delayed do
    call('ZADD', keys[2], args[from], args[from + 1])
    from = from + 2
  end
  for _ = 1, parked do
    local fields = tonumber(args[from])
    call('XADD', keys[3], '*', unpack(args, from + 1, from + fields))
    from = from + 1 + fields
  end
end

local function note(hint, job_key, lane, owner)
  local live, job = string.sub(job_key, 1, -8), string.sub(job_key, -42, -8)
  if hint == 'cancel' then
    call('HSET', live, 'cancel', 1)
    return
  end
  if hint == 'park' then -- it waits for an operator: others needn't wait with it
    give_back(base, limit, job, lane, owner)
    return
  end
  call('DEL', live)
  if hint == 'delete' then
    call('ZREM', base .. 'jobs', job)
    call('ZREM', base .. 'jobs:' .. owner, job)
    return
  end
  if hint == 'request' then
    request_admission(base, limit, job, lane, owner)
  elseif hint == 'resume' then
    call('SADD', base .. 'admitted', job)
  else
    give_back(base, limit, job, lane, owner)
  end
  if hint == 'stop' then
    call('HSET', live, 'cancel', 1)
    call('EXPIRE', live, 3600)
  end
end

local function commit(job_key)
  local version, mark, hint = tonumber(args[at]), args[at + 1], args[at + 2]
  local events, first = tonumber(args[at + 3]), at + 4
  local lane, owner, most
  if hint == 'request' or hint == 'stop' or hint == 'publish' or hint == 'park' or hint == 'delete' then
    lane, owner, most, first = args[first], args[first + 1], tonumber(args[first + 2]), first + 3
  end
  at = first + 3 * events
  local claim, delayed, parked = args[at], tonumber(args[at + 1]), tonumber(args[at + 2])
  local stream, group, entry
  local owned = true
  at = at + 3
  if claim ~= 'none' then
    stream, group, entry = keys[tonumber(args[at])], args[at + 1], args[at + 3]
    owned = owns(stream, group, args[at + 2], entry, args[at + 4])
    at = at + 5
  end
  local aside = at
  at = after(aside, delayed, parked)

  if not owned then return { 'lost', 0 } end
  if events > 0 or mark ~= '' then
    local refusal = moved(job_key, version, mark)
    if refusal and (events > 0 or refusal[2] > 0) then return refusal end
  end
  if most then
    local waiting = count_waiting(base)
    if waiting and waiting >= most then return { 'full', waiting } end
  end
  if events > 0 then version = append(first, events, job_key, version) end
  if at > aside then set_aside(aside, delayed, parked) end
  if hint ~= '' then note(hint, job_key, lane, owner) end
  if claim == 'settle' or claim == 'discard' then call('XACK', stream, group, entry) end
  if claim == 'discard' then call('XDEL', stream, entry) end
  return { 'ok', version }
end

local results = {}
for i = 1, commits do
  local fine, result = pcall(commit, keys[3 + i])
  results[i] = fine and result or { 'error', type(result) == 'table' and result.err or tostring(result) }
end
return results
