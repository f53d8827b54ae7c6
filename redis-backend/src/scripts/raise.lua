-- Raises the marker in the field of a key, or sets the first; neither its moment nor its life ever falls. What memory pressure
-- can't refuse comes first: nothing after it is refused then.
local function raise(key, field, at, expires)
  redis.call('PEXPIREAT', key, expires, 'GT')
  local marker = redis.pcall('HGET', key, field)
  if type(marker) == 'table' then
    if not string.find(marker.err, 'WRONGTYPE', 1, true) then error(marker.err) end
    redis.call('UNLINK', key)
  elseif marker and #marker == 16 then
    local earlier_at, earlier_expires = struct.unpack('>I8I8', marker)
    at, expires = math.max(at, earlier_at), math.max(expires, earlier_expires)
  end
  redis.call('HSET', key, field, struct.pack('>I8I8', at, expires))
  redis.call('PEXPIREAT', key, expires, 'NX')
end
