-- Begins a session.
-- KEYS account, not-before times
-- ARGV not_after, now, max_sessions, session id, record, superseded session id*
-- Returns {1, displaced}, or {0} if a not-before time or the clock refuses, or {3} if the not-before times are unreadable.
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
if clock >= tonumber(ARGV[1]) then return {0} end
local now, most, new = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local flags, store, provider = string.byte(ARGV[5], 2), struct.unpack('>I8I8', ARGV[5], 3)

local not_before = redis.call('GET', KEYS[2])
if not_before then
  if #not_before ~= 48 then return {3} end
  local times = {store, provider, provider}
  for i = 1, flags % 2 == 1 and 2 or 3 do
    local at, expires = struct.unpack('>I8I8', not_before, i * 16 - 15)
    if clock < expires and times[i] <= at then return {0} end
  end
end

-- This command may fail at maxmemory. Nothing has changed then.
redis.call('HSET', KEYS[1], 's:' .. new, ARGV[5])
