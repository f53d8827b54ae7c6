-- Sets the not-before time of a sid, even of an unknown one.
-- KEYS index of the sid  ARGV kind ('g' forever, 'm' up to a cutoff), cutoff, lifetime
-- Returns the accounts of the sid.
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local expires = clock + tonumber(ARGV[3])
-- The first write command never fails at maxmemory. Then the later ones do not fail either.
redis.call('PEXPIREAT', KEYS[1], expires, 'GT')
local stored = redis.pcall('HGETALL', KEYS[1])
if stored.err then
  if not string.find(stored.err, 'WRONGTYPE', 1, true) then return stored end
  redis.call('UNLINK', KEYS[1])
  stored = {}
end
local accounts, over, not_before, forever = {}, {}
for i = 1, #stored, 2 do
  local name, value = stored[i], stored[i + 1]
  if name == 'm' then
    not_before = #value == 16 and value
  elseif name == 'g' then
    forever = #value == 8 and value
  elseif #name == 32 and #value == 8 and struct.unpack('>I8', value) > clock then
    accounts[#accounts + 1] = name
    expires = math.max(expires, (struct.unpack('>I8', value)))
  elseif #over < 1000 then
    over[#over + 1] = name
  end
end
if #over > 0 then redis.call('HDEL', KEYS[1], unpack(over)) end
if ARGV[1] == 'g' then
  if forever then expires = math.max(expires, (struct.unpack('>I8', forever))) end
  redis.call('HSET', KEYS[1], 'g', struct.pack('>I8', expires))
else
  local at = tonumber(ARGV[2])
  if not_before then
    local earlier_at, earlier_expires = struct.unpack('>I8I8', not_before)
    at, expires = math.max(at, earlier_at), math.max(expires, earlier_expires)
  end
  redis.call('HSET', KEYS[1], 'm', struct.pack('>I8I8', at, expires))
end
if redis.call('PEXPIREAT', KEYS[1], expires, 'GT') == 0 then redis.call('PEXPIREAT', KEYS[1], expires, 'NX') end
return accounts
