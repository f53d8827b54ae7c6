-- Adds a sign-in to the index of its sid.
-- KEYS index of the sid  ARGV account, requested_at, ends_at, not_after
-- Returns 1, or 0 if a not-before time or the clock refuses, or 3 for an unreadable record.
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
if clock >= tonumber(ARGV[4]) then return 0 end
local held = redis.call('HMGET', KEYS[1], 'm', 'g', ARGV[1])
local marker, good, ends = held[1], held[2], tonumber(ARGV[3])
if (marker and #marker ~= 16) or (good and #good ~= 8) or (held[3] and #held[3] ~= 8) then return 3 end
if good and clock < struct.unpack('>I8', good) then return 0 end
if marker then
  local at, expires = struct.unpack('>I8I8', marker)
  if clock < expires and tonumber(ARGV[2]) <= at then return 0 end
end
if held[3] then ends = math.max(ends, (struct.unpack('>I8', held[3]))) end
redis.call('HSET', KEYS[1], ARGV[1], struct.pack('>I8', ends))
if redis.call('PEXPIREAT', KEYS[1], ends, 'GT') == 0 then redis.call('PEXPIREAT', KEYS[1], ends, 'NX') end
return 1
