-- Renews leases, records progress, and brings back cancellation; each row stands for itself. Follows begun.lua.
--
-- KEYS: every key that the rows touch, each once; all of one partition.
-- ARGV: progress key index, cap of the progress stream, number of rows, then for each row
--   stream index, live key index, job id, group, consumer, entry id, delivery count, field, fraction ('' for none)
-- Returns for each row: 0 the lease is lost, 1 renewed, 2 renewed and the job is to be cancelled.
--
-- XCLAIM JUSTID resets the idle time and leaves the delivery count, which is the fencing token, as it is.
-- Progress within a field never falls: a field names the step, the scene and the run.

local at = 1
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end
local function take_key() return KEYS[tonumber(take())] end

local progress_key, cap = take_key(), take()
local results = {}
for i = 1, tonumber(take()) do
  local stream, live, job = take_key(), take_key(), take()
  local group, consumer, entry, count = take(), take(), take(), tonumber(take())
  local field, fraction = take(), take()
  if not own_row(stream, group, consumer, entry, count) then
    results[i] = 0
  else
    redis.call('XCLAIM', stream, group, consumer, 0, entry, 'JUSTID')
    if fraction ~= '' then
      local before = tonumber(redis.call('HGET', live, field) or '-1')
      if tonumber(fraction) > before then
        redis.call('HSET', live, field, fraction)
        redis.call('EXPIRE', live, 86400) -- a step that reports after the job's end leaves nothing behind for ever
        redis.call('XADD', progress_key, 'MAXLEN', '~', cap, '*', 'j', job, 'f', field, 'p', fraction)
      end
    end
    results[i] = redis.call('HGET', live, 'cancel') and 2 or 1
  end
end
return results
