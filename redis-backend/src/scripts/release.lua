-- Releases a refresh lock if it still belongs to its owner.
-- KEYS lock  ARGV owner
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('UNLINK', KEYS[1]) end
return 1
