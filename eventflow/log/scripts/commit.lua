-- Commits a batch; each commit stands for itself: all of it happens, or none. Follows admission.lua and begun.lua.
--
-- KEYS: feed, delayed, parked; all else that is touched has their hash tag, and so their slot.
-- ARGV: commits, most jobs in progress, then the names and values of what is parked, in order.
-- The commits are a MessagePack list; each is a list of
--   job, expected version, mark of its event ('': any), events,
--   claim, what becomes of it ('hold' | 'settle' | 'discard'), delayed, parked,
--   hint ('' | 'cancel' | 'stop' | 'publish' | 'park' | 'resume' | 'request' | 'delete'), lane, owner, most jobs that may wait before it (nil: any number)
-- event: type, payload, topic (nil: history only)
-- claim (nil: none): stream, group, consumer, entry id, delivery count
-- delayed: due (ms), target, payload; parked: number of names and values
-- Returns for each commit: its version | {'lost', 0} | {'conflict', present version} | {'other', present version} |
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

local feed, call = KEYS[1], redis.call
local base, limit = string.sub(feed, 1, -5), tonumber(ARGV[2])
local parts = 2 -- of what is parked, the last that was read

local function owns(claim) return own_row(claim[1], claim[2], claim[3], claim[4], claim[5]) end

-- Of an event's payload, as eventflow.domain.envelope.mark_of takes it. No text inside the payload can hold these quotes.
local function mark_of(entry)
  local payload = entry[2][2]
  local at = string.find(payload, '"time":"', 1, true)
  return at and string.sub(payload, at - 23, at + 33) or ''
end

-- What to answer where the job isn't as it was folded; nil where it is.
local function moved(job_key, version, mark)
  local id = version .. '-0'
  local found = mark ~= '' and call('XRANGE', job_key, id, '+', 'COUNT', 2) or {}
  if #found == 1 and mark_of(found[1]) == mark then return end -- as it mostly is, in one look
  local present = call('XLEN', job_key)
  if mark ~= '' and present > 0 and (#found == 0 or mark_of(found[1]) ~= mark) then return { 'other', present } end
  if present ~= version then return { 'conflict', present } end
end

local function append(events, job, job_key, version)
  for i = 1, #events do
    local kind, payload, topic = events[i][1], events[i][2], events[i][3]
    version = version + 1
    call('XADD', job_key, version .. '-0', 'e', payload)
    call('XADD', feed, '*', 'j', job, 'v', version, 't', kind)
    if topic then call('XADD', topic, '*', 'e', payload) end
  end
  return version
end

local function delay(delayed)
  for i = 1, #delayed do
    call('ZADD', KEYS[2], delayed[i][1], delayed[i][2] .. '\n' .. delayed[i][3])
  end
end

local function park(from, parked)
  for i = 1, #parked do
    call('XADD', KEYS[3], '*', unpack(ARGV, from + 1, from + parked[i]))
    from = from + parked[i]
  end
end

local function note(hint, job, lane, owner)
  local live = base .. 'job:' .. job
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

local function commit(job, version, mark, events, claim, on_claim, delayed, parked, hint, lane, owner, most)
  local job_key, parts_before = base .. 'job:' .. job .. ':events', parts
  for i = 1, #parked do parts = parts + parked[i] end

  if claim and not owns(claim) then return { 'lost', 0 } end
  if #events > 0 or mark ~= '' then
    local refusal = moved(job_key, version, mark)
    if refusal and (#events > 0 or refusal[2] > 0) then return refusal end
  end
  if most then
    local waiting = count_waiting(base)
    if waiting and waiting >= most then return { 'full', waiting } end
  end
  version = append(events, job, job_key, version)
  delay(delayed)
  park(parts_before, parked)
  if hint ~= '' then note(hint, job, lane, owner) end
  if claim and on_claim ~= 'hold' then
    call('XACK', claim[1], claim[2], claim[4])
    if claim[5] > 1 then call('DEL', begun_key(claim[1], claim[2], claim[4])) end
  end
  if claim and on_claim == 'discard' then call('XDEL', claim[1], claim[4]) end
  return version
end

local results = {}
for i, each in ipairs(cmsgpack.unpack(ARGV[1])) do
  local fine, result = pcall(commit, unpack(each, 1, 12))
  if not fine then
    result = type(result) == 'table' and result.err or tostring(result)
    -- A replica refuses the first write of all: nothing of the batch was done, and the client has to go elsewhere.
    if string.find(result, '^-?READONLY') then return redis.error_reply(result) end
    result = { 'error', result }
  end
  results[i] = result
end
return results
