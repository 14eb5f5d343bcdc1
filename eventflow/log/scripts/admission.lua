-- Who may begin, and in which order; put in front of the scripts that need it.
--
-- Keys of one partition, all under its hash tag (`base` is '<prefix>:{<pp>}:'):
--   admitted          set of the jobs in progress
--   waiting:<lane>    sorted set of jobs that wait, by their turn
--   rounds:<lane>     hash: owner -> round of its last request that waits or waited
--   admission         hash: arrivals, admissions, round:<lane> (the round that has come to be admitted)
--
-- Round-robin over owners: an owner's k-th waiting job has its turn in the k-th round from now, whatever the others
-- have waiting (start-time fair queueing, Goyal, Vin and Cheng 1996, with jobs of equal weight). Within a round, jobs
-- are in order of arrival. One admission in NORMAL_SHARE looks at the normal lane first, so that high never starves it.

local NORMAL_SHARE = 4

local function admit(base, job, lane)
  local events = base .. 'job:' .. job .. ':events'
  local request = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  if not request then return end
  redis.call('SADD', base .. 'admitted', job)
  redis.call('XADD', base .. 'topic:requested:' .. lane, '*', 'e', request[2][2])
end

local function line_up(base, job, lane, owner)
  local rounds, counters = base .. 'rounds:' .. lane, base .. 'admission'
  local now = tonumber(redis.call('HGET', counters, 'round:' .. lane) or 0)
  local round = math.max(now, tonumber(redis.call('HGET', rounds, owner) or 0)) + 1
  local arrival = redis.call('HINCRBY', counters, 'arrivals', 1)
  redis.call('HSET', rounds, owner, round)
  redis.call('ZADD', base .. 'waiting:' .. lane, round + (arrival % 1000000) / 1000000, job)
end

local function forget_rounds(base, lane)
  redis.call('DEL', base .. 'rounds:' .. lane)
  redis.call('HDEL', base .. 'admission', 'round:' .. lane)
end

-- A job that waits has ended: its owner's next one takes the round that the last of those behind it would have had.
local function leave_line(base, job, lane, owner)
  if redis.call('ZREM', base .. 'waiting:' .. lane, job) == 0 then return end
  if redis.call('EXISTS', base .. 'waiting:' .. lane) == 0 then
    forget_rounds(base, lane)
  else
    redis.call('HINCRBY', base .. 'rounds:' .. lane, owner, -1)
  end
end

local function next_of(base, lane)
  local waiting = base .. 'waiting:' .. lane
  local first = redis.call('ZPOPMIN', waiting)
  if not first[1] then return false end
  if redis.call('EXISTS', waiting) == 1 then
    redis.call('HSET', base .. 'admission', 'round:' .. lane, math.floor(tonumber(first[2])))
  else
    forget_rounds(base, lane)
  end
  admit(base, first[1], lane)
  return true
end

local function anybody_waits(base)
  return redis.call('EXISTS', base .. 'waiting:high', base .. 'waiting:normal') > 0
end

-- How many requests of the partition nobody has begun: those that wait to be admitted, and those that were and lie in
-- the topic. nil where the server can't tell. web/readmodel/queue.py counts the same.
local function count_waiting(base)
  local waiting = 0
  for _, lane in ipairs({ 'high', 'normal' }) do
    local stream = base .. 'topic:requested:' .. lane
    local lag = redis.call('XLEN', stream)
    local groups = lag > 0 and redis.call('XINFO', 'GROUPS', stream) or {}
    for _, group in ipairs(groups) do
      local about = {}
      for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
      if about.name == 'generation' then lag = about.lag end
    end
    if not lag then return end
    waiting = waiting + lag + redis.call('ZCARD', base .. 'waiting:' .. lane)
  end
  return waiting
end

-- Admit as many of those that wait as there is room for; `most` at a time.
local function admit_next(base, limit, most)
  if not anybody_waits(base) then return end
  local room = math.min(most, limit - redis.call('SCARD', base .. 'admitted'))
  for _ = 1, room do
    local turn = redis.call('HINCRBY', base .. 'admission', 'admissions', 1)
    local first, second = 'high', 'normal'
    if turn % NORMAL_SHARE == 0 then first, second = second, first end
    if not next_of(base, first) and not next_of(base, second) then return end
  end
end

-- A job's last event is a request: deliver it, now or in its turn. One that is in progress (it has lost its plan) keeps
-- its place: else it might wait for itself.
local function request_admission(base, limit, job, lane, owner)
  if redis.call('SISMEMBER', base .. 'admitted', job) == 1 then
    admit(base, job, lane)
  elseif not anybody_waits(base) and redis.call('SCARD', base .. 'admitted') < limit then
    admit(base, job, lane)
  else
    line_up(base, job, lane, owner)
    admit_next(base, limit, 1)
  end
end

-- A job has ended: its place is free.
local function give_back(base, limit, job, lane, owner)
  if redis.call('SREM', base .. 'admitted', job) == 0 then leave_line(base, job, lane, owner) end
  admit_next(base, limit, 2)
end
