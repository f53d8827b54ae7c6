-- Returns the background sessions in a field that belong to live sessions: a list of {session id, sealed}, the newest first.
local function living_background_sessions(account, field, now)
  local kept, found, names = redis.call('HGET', account, field) or '', {}, {}
  local at = 1
  while at + 19 <= #kept do
    local session_id, length = string.sub(kept, at, at + 15), struct.unpack('>I4', kept, at + 16)
    found[#found + 1] = {session_id, string.sub(kept, at + 20, at + 19 + length)}
    names[#names + 1] = 's:' .. session_id
    at = at + 20 + length
  end
  local living = {}
  for first = 1, #names, 1000 do
    local last = math.min(first + 999, #names)
    for i, record in ipairs(redis.call('HMGET', account, unpack(names, first, last))) do
      if record and (#record == 26 or #record == 42) and struct.unpack('>I8', record, 19) > now then
        living[#living + 1] = found[first + i - 1]
      end
    end
  end
  return living
end
