-- Asks what the user of this connection may do.
--
-- KEYS: one of our keys; it isn't touched. ARGV: commands with their arguments; KEY stands for the key.
-- Returns those that are denied, as the server's rules name them.

local denied = {}
for _, line in ipairs(ARGV) do
  local words, name, open = {}, '', true
  for word in string.gmatch(line, '%S+') do
    if word == 'KEY' then word = KEYS[1] end
    words[#words + 1] = word
    open = open and string.match(word, '^[a-z]+$') ~= nil
    if open then name = name .. (name == '' and '' or '|') .. word end
  end
  if not redis.acl_check_cmd(unpack(words)) then denied[#denied + 1] = name end
end
return denied
