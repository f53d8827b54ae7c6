-- Checks the not-before time of an issuer. KEYS not-before time  ARGV requested_at, not_after
-- Returns 1, or 0 if the not-before time or the clock refuses, or 3 for an unreadable record.
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
if clock >= tonumber(ARGV[2]) then return 0 end
local not_before = redis.call('GET', KEYS[1])
if not_before then
  if #not_before ~= 48 then return 3 end
  local at, expires = struct.unpack('>I8I8', not_before)
  if clock < expires and tonumber(ARGV[1]) <= at then return 0 end
end
return 1
