-- Renews leases, records progress, and reports cancellation; each row stands for itself. Follows begun_deliveries.lua.
--
-- KEYS: every key that the rows touch, each once; all of one partition.
-- ARGV: index of the progress stream, its length, number of rows, then for each row
--   stream index, index of the live hash, job id, group, consumer, entry id, delivery count, field, fraction ('': none)
-- Returns for each row: 0 the lease is lost, 1 renewed, 2 renewed and the job is to be cancelled.
--
-- XCLAIM JUSTID resets the idle time and leaves the delivery count, which is the fencing token, as it is.
-- Progress within a field never falls: a field names the step, the scene and the run.

local LIVE_KEPT_S = 86400 -- so that a step that reports after the job's end leaves nothing behind

local at = 1
local function next_arg()
  local value = ARGV[at]
  at = at + 1
  return value
end
local function next_key() return KEYS[tonumber(next_arg())] end

local progress, length = next_key(), next_arg()
local results = {}
for i = 1, tonumber(next_arg()) do
  local stream, live, job = next_key(), next_key(), next_arg()
  local group, consumer, entry, count = next_arg(), next_arg(), next_arg(), tonumber(next_arg())
  local field, fraction = next_arg(), next_arg()
  if not own_row(stream, group, consumer, entry, count) then
    results[i] = 0
  else
    redis.call('XCLAIM', stream, group, consumer, 0, entry, 'JUSTID')
    if fraction ~= '' then
      local before = tonumber(redis.call('HGET', live, field) or '-1')
      if tonumber(fraction) > before then
        redis.call('HSET', live, field, fraction)
        redis.call('EXPIRE', live, LIVE_KEPT_S)
        redis.call('XADD', progress, 'MAXLEN', '~', length, '*', 'j', job, 'f', field, 'p', fraction)
      end
    end
    results[i] = redis.call('HGET', live, 'cancel') and 2 or 1
  end
end
return results
