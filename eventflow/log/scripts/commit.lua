-- Commits a batch; each commit stands for itself: all of it happens, or none.
--
-- KEYS: every key that the batch touches, each once; all of one partition.
-- ARGV: a flat list, read from left to right:
--   number of commits, then for each commit
--     events key, live key (0 without a hint), feed key (indices into KEYS), expected version,
--     hint ('' | 'cancel' | 'clear'),
--     claim: 'none', or 'hold' | 'settle' | 'discard' + stream index, group, consumer, entry id, delivery count
--     number of events, for each: type, payload, topic index (0: history only)
--     number of delayed, number of parked
--     for each delayed: delayed index, due (ms), member
--     for each parked: parked index, number of fields, field, value, ...
-- Returns for each commit: {'ok', version} | {'lost', 0} | {'conflict', present version} | {'error', text}.
--
-- Scripts don't roll back, so everything is checked before the first write.
-- hold: check the claim, keep it; settle: XACK; discard: XACK and XDEL (for streams read by one group alone).

local at = 1
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end
local function take_key() return KEYS[tonumber(take())] end

local function read_commit()
  local c = { events = {}, delayed = {}, parked = {} }
  c.events_key, c.live_key, c.feed_key = take_key(), take_key(), take_key()
  c.expected, c.hint, c.claim = tonumber(take()), take(), take()
  if c.claim ~= 'none' then
    c.stream, c.group, c.consumer = take_key(), take(), take()
    c.entry, c.count = take(), tonumber(take())
  end
  for i = 1, tonumber(take()) do
    local kind, payload, topic = take(), take(), tonumber(take())
    c.events[i] = { kind, payload, topic > 0 and KEYS[topic] or false }
  end
  local delayed, parkings = tonumber(take()), tonumber(take())
  for i = 1, delayed do c.delayed[i] = { take_key(), take(), take() } end
  for i = 1, parkings do
    local parked = { take_key() }
    local fields = {}
    for j = 1, tonumber(take()) do fields[j] = take() end
    parked[2] = fields
    c.parked[i] = parked
  end
  return c
end

local function owns(c)
  if c.claim == 'none' then return true end
  local pending = redis.pcall('XPENDING', c.stream, c.group, c.entry, c.entry, 1)
  if pending.err then return false end
  local row = pending[1]
  return row ~= nil and row[2] == c.consumer and row[4] == c.count
end

local function version(key)
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if not last then return 0 end
  return tonumber(string.match(last[1], '^(%d+)'))
end

local function write(c)
  local job = string.match(c.events_key, 'job:(.+):events$')
  local v = c.expected
  for _, event in ipairs(c.events) do
    v = v + 1
    redis.call('XADD', c.events_key, v .. '-0', 'e', event[2])
    redis.call('XADD', c.feed_key, '*', 'j', job, 'v', v, 't', event[1])
    if event[3] then redis.call('XADD', event[3], '*', 'e', event[2]) end
  end
  for _, d in ipairs(c.delayed) do redis.call('ZADD', d[1], d[2], d[3]) end
  for _, p in ipairs(c.parked) do redis.call('XADD', p[1], '*', unpack(p[2])) end
  if c.hint == 'cancel' then redis.call('HSET', c.live_key, 'cancel', 1) end
  if c.hint == 'clear' then redis.call('DEL', c.live_key) end
  if c.claim == 'settle' or c.claim == 'discard' then redis.call('XACK', c.stream, c.group, c.entry) end
  if c.claim == 'discard' then redis.call('XDEL', c.stream, c.entry) end
  return v
end

local function commit(c)
  if not owns(c) then return { 'lost', 0 } end
  if #c.events > 0 then
    local present = version(c.events_key)
    if present ~= c.expected then return { 'conflict', present } end
  end
  return { 'ok', write(c) }
end

local commits = {}
for i = 1, tonumber(take()) do commits[i] = read_commit() end
local results = {}
for i, c in ipairs(commits) do
  local fine, result = pcall(commit, c)
  results[i] = fine and result or { 'error', type(result) == 'table' and result.err or tostring(result) }
end
return results
