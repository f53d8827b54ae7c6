-- Removes servers whose last renewal is unchanged. KEYS registry  ARGV (field of the server, renewal)*
redis.call('PEXPIREAT', KEYS[1], 1, 'GT')  -- a replica refuses it
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', KEYS[1], ARGV[i]) end
end
return 1
