
-- Stores the renewal of a server, and publishes a barrier on the server's channel: earlier messages arrive before it.
-- KEYS registry  ARGV id for a new one, field of the server, renewal, channel of the server, barrier
local id = registry(ARGV[1])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('SPUBLISH', ARGV[4], ARGV[5])
return id
