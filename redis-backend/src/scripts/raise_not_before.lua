-- Raises one of the three not-before times of a key, or sets it. Neither its time nor its expiry ever falls.
-- Each has a time and an expiry. The key has them in this order: on the store's clock, on the provider's, of sessions without a sid.
local function raise_not_before(key, which, at, expires)
  local m, i = {0, 0, 0, 0, 0, 0}, which * 2 - 1
  m[i], m[i + 1] = at, expires
  local first = struct.pack('>I8I8I8I8I8I8', m[1], m[2], m[3], m[4], m[5], m[6])
  local set = redis.pcall('SET', key, first, 'PXAT', expires, 'NX')
  if set and set.err then
    -- After a write command that needs no memory, the later ones do not fail at maxmemory.
    redis.call('PEXPIREAT', key, expires, 'GT')
    set = redis.call('SET', key, first, 'PXAT', expires, 'NX')
  end
  if set then return end
  local stored = redis.pcall('GET', key)
  if type(stored) == 'table' then
    if not string.find(stored.err, 'WRONGTYPE', 1, true) then error(stored.err) end
  elseif stored and #stored == 48 then
    m = {struct.unpack('>I8I8I8I8I8I8', stored)}
    m[i], m[i + 1] = math.max(m[i], at), math.max(m[i + 1], expires)
  end
  redis.call('SET', key, struct.pack('>I8I8I8I8I8I8', m[1], m[2], m[3], m[4], m[5], m[6]),
    'PXAT', math.max(m[2], m[4], m[6]))
end
