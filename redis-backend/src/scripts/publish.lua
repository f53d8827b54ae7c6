-- Tells every server that listens, and answers with the id of this sending and the registry: who holds a lease.
local function announce(registry, channel, message, id)
  -- A replica refuses it, and memory pressure doesn't: nor does it refuse what comes after it.
  redis.call('PEXPIREAT', registry, 1, 'GT')
  redis.call('HSET', registry, 'a', id)
  redis.call('SPUBLISH', channel, message .. id)
  return {id, redis.call('HGETALL', registry)}
end
