-- Returns the sessions of an account: {session id, record, session id, record, ...}. Does not read entries.
-- KEYS account
local answer, names = {}, {}
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if #name == 18 and string.sub(name, 1, 2) == 's:' then names[#names + 1] = name end
end
for first = 1, #names, 1000 do
  local last = math.min(first + 999, #names)
  for i, record in ipairs(redis.call('HMGET', KEYS[1], unpack(names, first, last))) do
    answer[#answer + 1] = string.sub(names[first + i - 1], 3)
    answer[#answer + 1] = record
  end
end
return answer
