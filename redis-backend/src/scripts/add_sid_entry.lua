-- Adds a sign-in to the index of its sid.
-- KEYS index of the sid  ARGV account, requested_at, ends_at, not_after
-- Returns 1, or 0 if a not-before time or the clock refuses, or 3 for an unreadable record.
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
if clock >= tonumber(ARGV[4]) then return 0 end
local stored = redis.call('HMGET', KEYS[1], 'm', 'g', ARGV[1])
local not_before, forever, ends = stored[1], stored[2], tonumber(ARGV[3])
if (not_before and #not_before ~= 16) or (forever and #forever ~= 8) or (stored[3] and #stored[3] ~= 8) then return 3 end
if forever and clock < struct.unpack('>I8', forever) then return 0 end
if not_before then
  local at, expires = struct.unpack('>I8I8', not_before)
  if clock < expires and tonumber(ARGV[2]) <= at then return 0 end
end
if stored[3] then ends = math.max(ends, (struct.unpack('>I8', stored[3]))) end
redis.call('HSET', KEYS[1], ARGV[1], struct.pack('>I8', ends))
if redis.call('PEXPIREAT', KEYS[1], ends, 'GT') == 0 then redis.call('PEXPIREAT', KEYS[1], ends, 'NX') end
return 1
