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
-- A job that leaves the line gives its owner a turn back: what is cancelled doesn't push back what is asked for next.

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

-- Rounds count while somebody waits; the next one to wait begins with the first.
local function forget_rounds_of_nobody(base, lane)
  if redis.call('EXISTS', base .. 'waiting:' .. lane) == 1 then return end
  redis.call('DEL', base .. 'rounds:' .. lane)
  redis.call('HDEL', base .. 'admission', 'round:' .. lane)
end

local function next_of(base, lane)
  local first = redis.call('ZPOPMIN', base .. 'waiting:' .. lane)
  if not first[1] then return false end
  redis.call('HSET', base .. 'admission', 'round:' .. lane, math.floor(tonumber(first[2])))
  forget_rounds_of_nobody(base, lane)
  admit(base, first[1], lane)
  return true
end

local function leave_the_line(base, job, lane, owner)
  if redis.call('ZREM', base .. 'waiting:' .. lane, job) == 0 then return end
  redis.call('HINCRBY', base .. 'rounds:' .. lane, owner, -1)
  forget_rounds_of_nobody(base, lane)
end

local function anybody_waits(base)
  return redis.call('EXISTS', base .. 'waiting:high', base .. 'waiting:normal') > 0
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

-- A job's last event is a request: deliver it, now or in its turn. One that is in progress (its plan was lost, and it
-- is planned again) keeps its place: it would else wait for a place while it holds one.
local function request_admission(base, limit, job, lane, owner)
  local admitted = base .. 'admitted'
  if redis.call('SISMEMBER', admitted, job) == 1
    or not anybody_waits(base) and redis.call('SCARD', admitted) < limit then
    admit(base, job, lane)
  else
    line_up(base, job, lane, owner)
    admit_next(base, limit, 1)
  end
end

-- A job has ended: its place is free, or its place in the line where that is told (`lane`, `owner`).
local function give_back(base, limit, job, lane, owner)
  if redis.call('SREM', base .. 'admitted', job) == 0 and lane then leave_the_line(base, job, lane, owner) end
  admit_next(base, limit, 2)
end
