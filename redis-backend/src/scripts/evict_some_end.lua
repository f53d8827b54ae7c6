
local there = redis.pcall('HGET', KEYS[1], 'n')
if type(there) == 'table' then
  if not string.find(there.err, 'WRONGTYPE', 1, true) then return there end
  redis.call('UNLINK', KEYS[1])
  return 0
end
local names, sessions = survey()
local ended, any = {}, 0
-- No valid session begins later than this. One that does is evicted as well.
local latest = clock + 300000
local function before(place) return place <= at or place > latest end
for session_id, session in pairs(sessions) do
  local hit
  if kind == 'e' then
    hit = session_id == name
  elseif not session then
    hit = true
  elseif kind == 'u' and session.sid == '' then
    hit = before(session.provider)
  elseif session.sid == name then
    hit = kind == 'g' or kind == 'u' or before(kind == 's' and session.store or session.provider)
  end
  if hit then
    ended[session_id] = true
    if session and session.ends > now then any = 1 end
  end
end
if next(ended) then remove_sessions(names, sessions, ended) end
return any
