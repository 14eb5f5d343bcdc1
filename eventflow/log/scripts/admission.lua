-- Admission: decides which jobs may start, and in which order. Prepended to the scripts that use it.
--
-- Functions take `partition`, a table of the ARGV that its callers share:
--   base (of the partition's key names), requests (the topic whose events start a job), group (its consumer group),
--   limit (most jobs in progress)
-- Keys, by their functions in eventflow/log/keys.py:
--   admitted   set of the jobs in progress
--   waiting    sorted set of the jobs of a lane that wait for admission, by round and arrival
--   rounds     hash of a lane: owner -> round of its last job that waits or waited
--   admission  hash: arrivals, admissions, round:<lane> (the round that is being admitted)
--
-- Round-robin over owners: an owner's k-th waiting job is admitted in the k-th round from now, however many jobs the
-- others have waiting (start-time fair queueing, Goyal, Vin and Cheng 1996, with jobs of equal weight). Within a round,
-- jobs are admitted in order of arrival. One admission in NORMAL_SHARE tries the normal lane first, so that the high
-- lane never starves it.

local LANES = { 'high', 'normal' }
local NORMAL_SHARE = 4

local function admit(partition, job, lane)
  local request = redis.call('XREVRANGE', KEY.events(partition.base, job), '+', '-', 'COUNT', 1)[1]
  if not request then return end
  redis.call('SADD', KEY.admitted(partition.base), job)
  redis.call('XADD', KEY.topic(partition.base, partition.requests, lane), '*', 'e', request[2][2])
end

local function round_field(lane) return 'round:' .. lane end

local function enqueue(partition, job, lane, owner)
  local rounds, counters = KEY.rounds(partition.base, lane), KEY.admission(partition.base)
  local present = tonumber(redis.call('HGET', counters, round_field(lane)) or 0)
  local round = math.max(present, tonumber(redis.call('HGET', rounds, owner) or 0)) + 1
  local arrival = redis.call('HINCRBY', counters, 'arrivals', 1)
  redis.call('HSET', rounds, owner, round)
  redis.call('ZADD', KEY.waiting(partition.base, lane), round + (arrival % 1000000) / 1000000, job)
end

local function forget_rounds(partition, lane)
  redis.call('DEL', KEY.rounds(partition.base, lane))
  redis.call('HDEL', KEY.admission(partition.base), round_field(lane))
end

-- A waiting job has ended: its owner's next job gets the round after the last one that is left.
local function leave_queue(partition, job, lane, owner)
  local waiting = KEY.waiting(partition.base, lane)
  if redis.call('ZREM', waiting, job) == 0 then return end
  if redis.call('EXISTS', waiting) == 0 then
    forget_rounds(partition, lane)
  else
    redis.call('HINCRBY', KEY.rounds(partition.base, lane), owner, -1)
  end
end

-- Admit the first waiting job of a lane; false where none waits.
local function admit_first(partition, lane)
  local waiting = KEY.waiting(partition.base, lane)
  local first = redis.call('ZPOPMIN', waiting)
  if not first[1] then return false end
  if redis.call('EXISTS', waiting) == 1 then
    redis.call('HSET', KEY.admission(partition.base), round_field(lane), math.floor(tonumber(first[2])))
  else
    forget_rounds(partition, lane)
  end
  admit(partition, first[1], lane)
  return true
end

local function any_waiting(partition)
  return redis.call('EXISTS', KEY.waiting(partition.base, LANES[1]), KEY.waiting(partition.base, LANES[2])) > 0
end

-- How many jobs of the partition no worker has started: those that wait for admission, and those that were admitted and
-- lie in the topic; and how many deliveries the group has read. Each is false where the server can't tell.
local function count_waiting(partition)
  local waiting, read = 0, 0
  for _, lane in ipairs(LANES) do
    local stream = KEY.topic(partition.base, partition.requests, lane)
    local length = redis.call('XLEN', stream)
    local lag, entries_read = length, 0 -- of a stream that the group has never read
    local groups = redis.call('EXISTS', stream) == 1 and redis.call('XINFO', 'GROUPS', stream) or {}
    for _, group in ipairs(groups) do
      local about = {}
      for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
      if about.name == partition.group then
        lag = length > 0 and about.lag or length == 0 and 0
        entries_read = about['entries-read'] or (lag == length and 0) -- null until the group has read
      end
    end
    waiting = waiting and lag and waiting + lag + redis.call('ZCARD', KEY.waiting(partition.base, lane))
    read = read and entries_read and read + entries_read
  end
  return waiting or false, read or false
end

-- Admit as many waiting jobs as the limit allows; at most `most`.
local function admit_next(partition, most)
  if not any_waiting(partition) then return end
  local free = math.min(most, partition.limit - redis.call('SCARD', KEY.admitted(partition.base)))
  for _ = 1, free do
    local number = redis.call('HINCRBY', KEY.admission(partition.base), 'admissions', 1)
    local first, second = LANES[1], LANES[2]
    if number % NORMAL_SHARE == 0 then first, second = second, first end
    if not admit_first(partition, first) and not admit_first(partition, second) then return end
  end
end

-- A job's last event is a request: deliver it, now or when the job is admitted. A job in progress that requests (its
-- plan was lost) stays in progress: else it might wait for itself.
local function request_admission(partition, job, lane, owner)
  local admitted = KEY.admitted(partition.base)
  if redis.call('SISMEMBER', admitted, job) == 1 then
    admit(partition, job, lane)
  elseif not any_waiting(partition) and redis.call('SCARD', admitted) < partition.limit then
    admit(partition, job, lane)
  else
    enqueue(partition, job, lane, owner)
    admit_next(partition, 1)
  end
end

-- A job is no longer in progress, or no longer waits: admit others in its stead.
local function end_progress(partition, job, lane, owner)
  if redis.call('SREM', KEY.admitted(partition.base), job) == 0 then leave_queue(partition, job, lane, owner) end
  admit_next(partition, 2)
end
