-- Tells a server that copies are gone. KEYS registry (so that only its primary says so)  ARGV channel, message
return redis.call('SPUBLISH', ARGV[1], ARGV[2])
