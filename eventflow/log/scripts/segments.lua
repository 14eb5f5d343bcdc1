-- The segments of a partition by number, as archive pointers name them. Prepended to the scripts that use it.
--
-- An archive pointer is 14 bytes, all big-endian: number of the segment (3), then offset (4), length (4) and version (3)
-- of the job's block, as the archiver packs them.

-- The number of the segment `name`, as 3 bytes; `segments` is the hash of segments. A new segment gets the next number.
local function segment_number(segments, name)
  local number = redis.call('HGET', segments, name)
  if not number then
    number = redis.call('HINCRBY', segments, 'count', 1)
    redis.call('HSET', segments, name, number, number, name)
  end
  local n = tonumber(number)
  return string.char(math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
end

local function version_of(pointer)
  local a, b, c = string.byte(pointer, 12, 14)
  return a * 65536 + b * 256 + c
end
