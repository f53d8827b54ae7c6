
-- The escrows under a name whose sessions live: {session id, sealed, session id, sealed, ...}, the one kept last first.
-- KEYS account  ARGV escrow's field, now
local answer = {}
for _, escrow in ipairs(living_escrows(KEYS[1], ARGV[1], tonumber(ARGV[2]))) do
  answer[#answer + 1] = escrow[1]
  answer[#answer + 1] = escrow[2]
end
return answer
