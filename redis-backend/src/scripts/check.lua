-- Calls each command of the other scripts on unused keys, and returns those that the user may not call. KEYS two keys
local denied = {}
local function try(...)
  local answer = redis.pcall(...)
  local err = type(answer) == 'table' and answer.err
  if err and (string.find(err, 'NOPERM', 1, true) or string.find(err, "can't run", 1, true)
      or string.find(err, "can't access", 1, true)) then
    denied[#denied + 1] = (...)
  end
end
try('HSET', KEYS[1], 'n', 'x')
try('HGET', KEYS[1], 'n')
try('HMGET', KEYS[1], 'n')
try('HGETALL', KEYS[1])
try('HKEYS', KEYS[1])
try('HDEL', KEYS[1], 'x')
try('SET', KEYS[2], 'x')
try('GET', KEYS[2])
try('PEXPIRE', KEYS[1], 1000)
try('PEXPIREAT', KEYS[2], 1, 'GT')
try('PTTL', KEYS[1])
try('TIME')
try('UNLINK', KEYS[1], KEYS[2])
return denied
