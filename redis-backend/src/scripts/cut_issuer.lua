
-- Marks an issuer. KEYS issuer's marker  ARGV moment, life of the marker
local time = redis.call('TIME')
raise(KEYS[1], 's', tonumber(ARGV[1]), time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]))
return 1
