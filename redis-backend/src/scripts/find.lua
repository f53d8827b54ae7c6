
-- The background sessions under a name whose sessions live: {session id, sealed, session id, sealed, ...}, the one kept last first.
-- KEYS account  ARGV background session's field, now
local answer = {}
for _, session in ipairs(living_background_sessions(KEYS[1], ARGV[1], tonumber(ARGV[2]))) do
  answer[#answer + 1] = session[1]
  answer[#answer + 1] = session[2]
end
return answer
