
local names, sessions = survey()
local ended, any = {}, 0
local clock = ARGV[1] == 's' and 'store' or 'provider'
for epoch, session in pairs(sessions) do
  if not session or session[clock] <= at then
    ended[epoch] = true
    if session and session.ends > now then any = 1 end
  end
end
settle(names, sessions, ended)
return any
