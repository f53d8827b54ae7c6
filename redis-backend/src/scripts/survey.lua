
-- Returns the fields of the account KEYS[1], and its sessions by session id (false for an unreadable record).
local function survey()
  local names, records, sessions = redis.call('HKEYS', KEYS[1]), {}, {}
  for _, name in ipairs(names) do
    if #name == 18 and string.sub(name, 1, 2) == 's:' then records[#records + 1] = name end
  end
  for first = 1, #records, 1000 do
    local last = math.min(first + 999, #records)
    local values = redis.call('HMGET', KEYS[1], unpack(records, first, last))
    for i, value in ipairs(values) do
      local session_id = string.sub(records[first + i - 1], 3)
      sessions[session_id] = false
      if value and string.byte(value, 1) == 1 and (#value == 26 or #value == 42) then
        local store, provider, ends = struct.unpack('>I8I8I8', value, 3)
        local kind = math.floor(string.byte(value, 2) / 2)
        sessions[session_id] = {store = store, provider = provider, ends = ends, sid = string.sub(value, 27), kind = kind}
      end
    end
  end
  return names, sessions
end

-- Returns the background sessions in a field without those of ended sessions.
local function without_dead(kept, sessions, ended)
  local left, at = {}, 1
  while at + 19 <= #kept do
    local session_id, length = string.sub(kept, at, at + 15), struct.unpack('>I4', kept, at + 16)
    if sessions[session_id] and not ended[session_id] then
      left[#left + 1] = string.sub(kept, at, at + 19 + length)
    end
    at = at + 20 + length
  end
  return table.concat(left)
end

-- Removes the ended sessions of a survey with all their fields, or the whole account if no session remains.
local function remove_sessions(names, sessions, ended)
  local store, provider, ends, left = 0, 0, 0, false
  for session_id, session in pairs(sessions) do
    if not ended[session_id] then
      left = true
      if session then
        store, provider = math.max(store, session.store), math.max(provider, session.provider)
        ends = math.max(ends, session.ends)
      end
    end
  end
  if not left then
    redis.call('UNLINK', KEYS[1])
    return
  end
  local gone, background_sessions = {}, {}
  for _, name in ipairs(names) do
    local kind = string.sub(name, 1, 2)
    if kind == 's:' or kind == 'e:' or kind == 'c:' then
      local session_id = string.sub(name, 3, 18)
      if sessions[session_id] == nil or ended[session_id] then gone[#gone + 1] = name end
    elseif kind == 'x:' then
      background_sessions[#background_sessions + 1] = name
    end
  end
  -- The first write command never fails at maxmemory. Then the later ones do not fail either.
  for first = 1, #gone, 1000 do
    redis.call('HDEL', KEYS[1], unpack(gone, first, math.min(first + 999, #gone)))
  end
  for _, name in ipairs(background_sessions) do
    local kept = redis.call('HGET', KEYS[1], name)
    local rest = without_dead(kept, sessions, ended)
    if rest == '' then
      redis.call('HDEL', KEYS[1], name)
    elseif rest ~= kept then
      redis.call('HSET', KEYS[1], name, rest)
    end
  end
  redis.call('HSET', KEYS[1], 'n', struct.pack('>I8I8I8', store, provider, ends))
  if ends > 0 then redis.call('PEXPIREAT', KEYS[1], ends + 1000) end
end
