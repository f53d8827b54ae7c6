
local names, sessions = survey()
local ended, any = {}, 0
local clock = ARGV[1] == 's' and 'store' or 'provider'
-- No valid session begins later than this. One that does is evicted as well.
local latest = time[1] * 1000 + math.floor(time[2] / 1000) + 300000
for session_id, session in pairs(sessions) do
  if not session or session[clock] <= at or session[clock] > latest then
    ended[session_id] = true
    if session and session.ends > now then any = 1 end
  end
end
remove_sessions(names, sessions, ended)
return any
