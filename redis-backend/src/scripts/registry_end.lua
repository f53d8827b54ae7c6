
-- Returns the id of the registry. KEYS registry  ARGV id for a new one
redis.call('PEXPIREAT', KEYS[1], 1, 'GT')  -- a replica refuses it
return registry(ARGV[1])
