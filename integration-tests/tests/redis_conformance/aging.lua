-- Makes a key older: everything whose expiry the server's clock decides expires earlier. KEYS key  ARGV by how many milliseconds
local by = tonumber(ARGV[1])
local function older(at)
  return at > 0 and math.max(1, at - by) or 0
end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'string' then
  local value = redis.call('GET', KEYS[1])
  if #value == 48 then
    local m = {struct.unpack('>I8I8I8I8I8I8', value)}
    local aged = struct.pack('>I8I8I8I8I8I8', m[1], older(m[2]), m[3], older(m[4]), m[5], older(m[6]))
    redis.call('SET', KEYS[1], aged, 'KEEPTTL')
  end
elseif kind == 'hash' and string.find(KEYS[1], ':i:{', 1, true) then
  local held = redis.call('HGETALL', KEYS[1])
  for i = 1, #held, 2 do
    local name, value = held[i], held[i + 1]
    if name == 'm' then
      local at, ends = struct.unpack('>I8I8', value)
      redis.call('HSET', KEYS[1], name, struct.pack('>I8I8', at, older(ends)))
    elseif #value == 8 then
      redis.call('HSET', KEYS[1], name, struct.pack('>I8', older((struct.unpack('>I8', value)))))
    end
  end
end
local ends = redis.call('PEXPIRETIME', KEYS[1])
if ends > 0 then redis.call('PEXPIREAT', KEYS[1], older(ends)) end
return 1
