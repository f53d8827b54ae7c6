-- Raises one of a key's three markers, or sets the first; neither its moment nor its life ever falls.
-- A marker is a moment and an expiry; in the key they stand in this order: the store's clock, the provider's, the unlabelled.
local function raise(key, which, at, expires)
  local m, i = {0, 0, 0, 0, 0, 0}, which * 2 - 1
  m[i], m[i + 1] = at, expires
  local first = struct.pack('>I8I8I8I8I8I8', m[1], m[2], m[3], m[4], m[5], m[6])
  local set = redis.pcall('SET', key, first, 'PXAT', expires, 'NX')
  if set and set.err then
    -- Memory pressure refuses nothing once a write that takes no memory came first.
    redis.call('PEXPIREAT', key, expires, 'GT')
    set = redis.call('SET', key, first, 'PXAT', expires, 'NX')
  end
  if set then return end
  local held = redis.pcall('GET', key)
  if type(held) == 'table' then
    if not string.find(held.err, 'WRONGTYPE', 1, true) then error(held.err) end
  elseif held and #held == 48 then
    m = {struct.unpack('>I8I8I8I8I8I8', held)}
    m[i], m[i + 1] = math.max(m[i], at), math.max(m[i + 1], expires)
  end
  redis.call('SET', key, struct.pack('>I8I8I8I8I8I8', m[1], m[2], m[3], m[4], m[5], m[6]),
    'PXAT', math.max(m[2], m[4], m[6]))
end
