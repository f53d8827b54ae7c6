-- The id of the registry KEYS[1], which is made where there is none.
local function registry(fresh)
  local id = redis.call('HGET', KEYS[1], 'i')
  if not id then
    id = fresh
    redis.call('HSET', KEYS[1], 'i', id)
  end
  return id
end
