
-- Stores a background session in front of those of the other live sessions of the account.
-- KEYS account  ARGV field of the background sessions, session id, sealed ticket secret, now
-- Returns 1, or 0 if the session has ended.
local session, now = redis.call('HGET', KEYS[1], 's:' .. ARGV[2]), tonumber(ARGV[4])
if not session or #session < 26 or struct.unpack('>I8', session, 19) <= now then return 0 end
local kept = {ARGV[2] .. struct.pack('>I4', #ARGV[3]) .. ARGV[3]}
for _, other in ipairs(living_background_sessions(KEYS[1], ARGV[1], now)) do
  if other[1] ~= ARGV[2] then
    kept[#kept + 1] = other[1] .. struct.pack('>I4', #other[2]) .. other[2]
  end
end
redis.call('HSET', KEYS[1], ARGV[1], table.concat(kept))
return 1
