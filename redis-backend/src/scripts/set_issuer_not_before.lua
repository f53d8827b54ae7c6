
-- Sets the not-before time of an issuer. KEYS not-before time  ARGV cutoff, lifetime
local time = redis.call('TIME')
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2])
raise_not_before(KEYS[1], 1, tonumber(ARGV[1]), expires)
return 1
