-- Commits a batch; each commit stands for itself: all of it happens, or none. Follows admission.lua and
-- begun_deliveries.lua.
--
-- KEYS: feed, delayed deliveries, dead letters; all other keys carry their hash tag, and so lie in their slot.
-- ARGV: commits, base of the partition's key names, topic of requests, its group, most jobs in progress, then the names
--   and values of dead letters, in order.
-- The commits are a MessagePack list; each is a list of
--   job, expected version, mark of its event ('': any), events,
--   claim, what becomes of it ('hold' | 'settle' | 'discard'), delayed deliveries, dead letters,
--   effect ('' | 'cancel' | 'stop' | 'publish' | 'dead-letter' | 'resume' | 'request' | 'delete'), lane, owner,
--   most jobs that may wait before it (nil: any number)
-- event: type, payload, topic (nil: history only)
-- claim (nil: none): stream, group, consumer, entry id, delivery count
-- delayed delivery: due (ms), target, payload; dead letter: number of its names and values
-- Returns for each commit: its version | {'lost', 0} | {'conflict', present version} | {'other', present version} |
-- {'full', jobs that wait} | {'error', text}.
--
-- Scripts don't roll back, so claim and version are checked before the first write.
-- hold: check the claim, keep it; settle: XACK; discard: XACK and XDEL (for streams that one group alone reads).
-- A request is delivered when the job is admitted (admission.lua); 'stop', 'publish' and 'dead-letter' end its progress.
-- 'delete' removes the job from its lists.
-- 'stop' sets the cancel hint for an hour, so that every worker of a job that ended early sees it.
-- A job's stream is never trimmed and its ids are 1-0, 2-0, ...: its length is the job's version.
-- A server that has lost its newest events may hold others since, up to the very version that a process has folded: the
-- mark tells whether that is the same history ('conflict' where it has only grown) or an'other'. A settlement without
-- events is checked too, because its reason may be an event that is lost; but not where the job is archived.

local FIRST_PART = 6 -- of the dead letters, in ARGV
local CANCEL_HINT_S = 3600

local feed, call = KEYS[1], redis.call
local partition = { base = ARGV[2], requests = ARGV[3], group = ARGV[4], limit = tonumber(ARGV[5]) }
local base = partition.base
local next_part = FIRST_PART

local function owns(claim) return own_row(claim[1], claim[2], claim[3], claim[4], claim[5]) end

-- The mark of an event's payload, as in eventflow.domain.envelope.mark_of. No text inside a payload can hold these quotes.
local function mark_of(entry)
  local payload = entry[2][2]
  local at = string.find(payload, '"time":"', 1, true)
  return at and string.sub(payload, at - 23, at + 33) or ''
end

-- The refusal where the job isn't as it was folded; nil where it is.
local function moved(events_key, version, mark)
  local id = version .. '-0'
  local found = mark ~= '' and call('XRANGE', events_key, id, '+', 'COUNT', 2) or {}
  if #found == 1 and mark_of(found[1]) == mark then return end -- the usual case, in one command
  local present = call('XLEN', events_key)
  if mark ~= '' and present > 0 and (#found == 0 or mark_of(found[1]) ~= mark) then return { 'other', present } end
  if present ~= version then return { 'conflict', present } end
end

local function append(events, job, events_key, version)
  for i = 1, #events do
    local kind, payload, topic = events[i][1], events[i][2], events[i][3]
    version = version + 1
    call('XADD', events_key, version .. '-0', 'e', payload)
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

local function dead_letter(part, letters)
  for i = 1, #letters do
    call('XADD', KEYS[3], '*', unpack(ARGV, part, part + letters[i] - 1))
    part = part + letters[i]
  end
end

local function apply_effect(effect, job, lane, owner)
  local live = KEY.live(base, job)
  if effect == 'cancel' then
    call('HSET', live, 'cancel', 1)
    return
  end
  if effect == 'dead-letter' then -- the job waits for an operator: others needn't wait with it
    end_progress(partition, job, lane, owner)
    return
  end
  call('DEL', live)
  if effect == 'delete' then
    call('ZREM', KEY.all_jobs(base), job)
    call('ZREM', KEY.jobs_of(base, owner), job)
    return
  end
  if effect == 'request' then
    request_admission(partition, job, lane, owner)
  elseif effect == 'resume' then
    call('SADD', KEY.admitted(base), job)
  else
    end_progress(partition, job, lane, owner)
  end
  if effect == 'stop' then
    call('HSET', live, 'cancel', 1)
    call('EXPIRE', live, CANCEL_HINT_S)
  end
end

local function commit(job, version, mark, events, claim, on_claim, delayed, letters, effect, lane, owner, most)
  local events_key, part = KEY.events(base, job), next_part
  for i = 1, #letters do next_part = next_part + letters[i] end

  if claim and not owns(claim) then return { 'lost', 0 } end
  if #events > 0 or mark ~= '' then
    local refusal = moved(events_key, version, mark)
    if refusal and (#events > 0 or refusal[2] > 0) then return refusal end
  end
  if most then
    local waiting = count_waiting(partition)
    if waiting and waiting >= most then return { 'full', waiting } end
  end
  version = append(events, job, events_key, version)
  delay(delayed)
  dead_letter(part, letters)
  if effect ~= '' then apply_effect(effect, job, lane, owner) end
  if claim and on_claim ~= 'hold' then
    call('XACK', claim[1], claim[2], claim[4])
    if claim[5] > 1 then call('DEL', KEY.begun(claim[1], claim[2], claim[4])) end
  end
  if claim and on_claim == 'discard' then call('XDEL', claim[1], claim[4]) end
  return version
end

local results = {}
for i, each in ipairs(cmsgpack.unpack(ARGV[1])) do
  local fine, result = pcall(commit, unpack(each, 1, 12))
  if not fine then
    result = type(result) == 'table' and result.err or tostring(result)
    -- A replica refuses the first write: nothing of the batch was done, and the client has to go elsewhere.
    if string.find(result, '^-?READONLY') then return redis.error_reply(result) end
    result = { 'error', result }
  end
  results[i] = result
end
return results
