-- Delivers old events to one group by its own retry streams, each once, however often this is sent.
--
-- KEYS: the set of delivered events, then retry streams.
-- ARGV: for each event: its name in the set, index of its stream in KEYS, payload. Returns how many were new.

local new = 0
for i = 1, #ARGV, 3 do
  if redis.call('SADD', KEYS[1], ARGV[i]) == 1 then
    redis.call('XADD', KEYS[tonumber(ARGV[i + 1])], '*', 'e', ARGV[i + 2])
    new = new + 1
  end
end
return new
