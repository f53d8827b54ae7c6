-- Publishes an acknowledgement. KEYS registry (so that only its primary publishes)  ARGV channel, message
return redis.call('SPUBLISH', ARGV[1], ARGV[2])
