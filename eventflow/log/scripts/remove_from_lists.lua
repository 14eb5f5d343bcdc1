-- Removes archived jobs from the lists of their partition. Safe to repeat.
--
-- KEYS: every key that is touched, each once; all of one partition. The first is the list of all owners' jobs.
-- ARGV: number of jobs, then for each job
--     id, list of its owner's jobs, hash of its archive pointer (indices into KEYS), field
-- Returns how many were removed. A job without an archive pointer is in the server, and stays listed.

local removed, at = 0, 2
for _ = 1, tonumber(ARGV[1]) do
  local job, owners, pointers = ARGV[at], KEYS[tonumber(ARGV[at + 1])], KEYS[tonumber(ARGV[at + 2])]
  if redis.call('HEXISTS', pointers, ARGV[at + 3]) == 1 then
    removed = removed + redis.call('ZREM', KEYS[1], job)
    redis.call('ZREM', owners, job)
  end
  at = at + 4
end
return removed
