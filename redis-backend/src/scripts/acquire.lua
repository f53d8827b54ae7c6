-- Takes or renews a refresh lock, and reads the session and the entry.
-- KEYS account, lock
-- ARGV session's field, entry's field, now, version seen ('' none), owner, lease
-- Returns {1} held, {2, entry} fresher, {4, time left} busy, {0} signed out, {3} unreadable record.
local read, now = redis.call('HMGET', KEYS[1], ARGV[1], ARGV[2]), tonumber(ARGV[3])
local session, entry = read[1], read[2]
if not session then return {0} end
if string.byte(session, 1) ~= 1 or (#session ~= 26 and #session ~= 42) then return {3} end
if struct.unpack('>I8', session, 19) <= now then return {0} end
if entry then
  if #entry < 17 then return {3} end
  if struct.unpack('>I8', entry, #entry - 8) > now and string.sub(entry, -17, -10) ~= ARGV[4] then
    return {2, entry}
  end
end
if redis.call('SET', KEYS[2], ARGV[5], 'NX', 'PX', ARGV[6]) then return {1} end
if redis.call('GET', KEYS[2]) == ARGV[5] then
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
  return {1}
end
return {4, redis.call('PTTL', KEYS[2])}
