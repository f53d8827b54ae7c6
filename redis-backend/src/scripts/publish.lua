-- Publishes a message, and returns its id and the registry with the lease holders.
local function publish(registry, channel, message, id)
  -- A replica refuses this command, and it never fails at maxmemory. Then the later ones do not fail either.
  redis.call('PEXPIREAT', registry, 1, 'GT')
  redis.call('HSET', registry, 'a', id)
  redis.call('SPUBLISH', channel, message .. id)
  return {id, redis.call('HGETALL', registry)}
end
