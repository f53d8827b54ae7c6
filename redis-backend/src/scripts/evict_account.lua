
-- Evicts the sessions of an account at or before a cutoff.
-- KEYS account, not-before times
-- ARGV clock ('s' the store's, 'p' the provider's), cutoff, lifetime of the not-before time, now
-- Returns 1 if a live session was evicted, or 0.
local time = redis.call('TIME')
local at, now = tonumber(ARGV[2]), tonumber(ARGV[4])
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
raise_not_before(KEYS[2], ARGV[1] == 's' and 1 or 2, at, expires)

local newest = redis.pcall('HGET', KEYS[1], 'n')
if type(newest) == 'table' then
  if not string.find(newest.err, 'WRONGTYPE', 1, true) then return newest end
  redis.call('UNLINK', KEYS[1])
  return 0
end
if not newest then
  redis.call('UNLINK', KEYS[1])
  return 0
end
if #newest == 24 then
  local store, provider, ends = struct.unpack('>I8I8I8', newest)
  if (ARGV[1] == 's' and store or provider) <= at then
    redis.call('UNLINK', KEYS[1])
    return ends > now and 1 or 0
  end
end
