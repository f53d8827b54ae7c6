
-- Returns the background sessions with a name: {session id, sealed, session id, sealed, ...}, the newest first.
-- KEYS account  ARGV field of the background sessions, now
local answer = {}
for _, session in ipairs(living_background_sessions(KEYS[1], ARGV[1], tonumber(ARGV[2]))) do
  answer[#answer + 1] = session[1]
  answer[#answer + 1] = session[2]
end
return answer
