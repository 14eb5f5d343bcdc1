-- Takes jobs off the lists of their partition, those that are archived. Safe to repeat.
--
-- KEYS: every key that is touched, each once; all of one partition. The first is the list of everybody's jobs.
-- ARGV: number of jobs, then for each job
--     id, list of its owner's jobs, tombstone hash (indices into KEYS), field
-- Returns how many were taken off. A job without a tombstone goes on, or goes on again: it stays where it is.

local dropped, at = 0, 2
for _ = 1, tonumber(ARGV[1]) do
  local job, owners, graves = ARGV[at], KEYS[tonumber(ARGV[at + 1])], KEYS[tonumber(ARGV[at + 2])]
  if redis.call('HEXISTS', graves, ARGV[at + 3]) == 1 then
    dropped = dropped + redis.call('ZREM', KEYS[1], job)
    redis.call('ZREM', owners, job)
  end
  at = at + 4
end
return dropped
