
-- Keeps a session's sealed session id in front of those of the account's other living sessions.
-- KEYS account  ARGV escrow's field, session id, sealed session id, now
-- Answers 1, or 0 where the session has ended.
local session, now = redis.call('HGET', KEYS[1], 's:' .. ARGV[2]), tonumber(ARGV[4])
if not session or #session < 26 or struct.unpack('>I8', session, 19) <= now then return 0 end
local kept = {ARGV[2] .. struct.pack('>I4', #ARGV[3]) .. ARGV[3]}
for _, escrow in ipairs(living_escrows(KEYS[1], ARGV[1], now)) do
  if escrow[1] ~= ARGV[2] then
    kept[#kept + 1] = escrow[1] .. struct.pack('>I4', #escrow[2]) .. escrow[2]
  end
end
redis.call('HSET', KEYS[1], ARGV[1], table.concat(kept))
return 1
