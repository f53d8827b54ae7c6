
local names, sessions = survey()
local ended, over, living = {}, 0, {}
for i = 6, #ARGV do ended[ARGV[i]] = ARGV[i] ~= new end
for session_id, session in pairs(sessions) do
  if session and session_id ~= new and not ended[session_id] then
    if session.ends > now then
      if session.kind == math.floor(flags / 2) then living[#living + 1] = session_id end
    elseif over < 16 then
      over = over + 1
      ended[session_id] = true
    end
  end
end

local displaced = math.max(0, #living + 1 - math.max(1, most))
if displaced > 0 then
  table.sort(living, function(a, b)
    if sessions[a].store ~= sessions[b].store then return sessions[a].store < sessions[b].store end
    return a < b
  end)
  for i = 1, displaced do ended[living[i]] = true end
end

-- Removes expired entries of live sessions, a few at each sign-in.
local entries = {}
for _, name in ipairs(names) do
  if #name == 35 and string.sub(name, 1, 2) == 'e:' then entries[#entries + 1] = name end
end
if #entries > 0 then
  local some = {}
  for i = 1, math.min(16, #entries) do some[i] = entries[(clock + i) % #entries + 1] end
  local dead = {}
  for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(some))) do
    if value and #value >= 17 and struct.unpack('>I8', value, #value - 8) <= now then
      dead[#dead + 1] = some[i]
    end
  end
  if #dead > 0 then redis.call('HDEL', KEYS[1], unpack(dead)) end
end

remove_sessions(names, sessions, ended)
return {1, displaced}
