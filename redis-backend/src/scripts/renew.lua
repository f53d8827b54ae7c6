
-- Enters a server with its renewal, and marks the moment in its own channel: whatever was announced before comes before the marker.
-- KEYS registry  ARGV id for a new one, the server's field, renewal, own channel, marker
local id = registry(ARGV[1])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('SPUBLISH', ARGV[4], ARGV[5])
return id
