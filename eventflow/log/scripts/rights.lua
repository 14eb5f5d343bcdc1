-- Checks which commands the user of this connection may run.
--
-- KEYS: a key under our prefix; it isn't touched. ARGV: commands with their arguments; KEY stands for the key.
-- Returns the denied ones, as the server's rules name them, and those that it doesn't know (rename-command). A service
-- that stands in for Redis may not offer this check: then none counts as denied.

if not redis.acl_check_cmd then return {} end

local denied = {}
for _, line in ipairs(ARGV) do
  local words, name, open = {}, '', true
  for word in string.gmatch(line, '%S+') do
    if word == 'KEY' then word = KEYS[1] end
    words[#words + 1] = word
    open = open and string.match(word, '^[a-z]+$') ~= nil
    if open then name = name .. (name == '' and '' or '|') .. word end
  end
  local known, may = pcall(redis.acl_check_cmd, unpack(words))
  if not (known and may) then denied[#denied + 1] = name end
end
return denied
