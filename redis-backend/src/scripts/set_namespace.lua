-- Writes the record of the namespace if it is unchanged. KEYS record  ARGV expected ('' none), record
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
