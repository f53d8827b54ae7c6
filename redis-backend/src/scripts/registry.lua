-- Returns the id of the registry KEYS[1], and creates the registry if it is missing.
local function registry(fresh)
  local id = redis.call('HGET', KEYS[1], 'i')
  if not id then
    id = fresh
    redis.call('HSET', KEYS[1], 'i', id)
  end
  return id
end
