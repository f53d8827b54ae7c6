-- Looks at an issuer's marker. KEYS issuer's marker  ARGV requested_at, not_after
-- Answers 1, 0 where the marker or the clock refuses, 3 for bytes that are not ours.
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
if clock >= tonumber(ARGV[2]) then return 0 end
local marker = redis.call('GET', KEYS[1])
if marker then
  if #marker ~= 48 then return 3 end
  local at, expires = struct.unpack('>I8I8', marker)
  if clock < expires and tonumber(ARGV[1]) <= at then return 0 end
end
return 1
