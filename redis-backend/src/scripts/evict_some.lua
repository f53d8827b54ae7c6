
-- Ends one session of an account, or those of a sid, or those of a sid and the unlabelled ones.
-- KEYS account, marker
-- ARGV kind, name, moment, life of the marker, now; the kinds:
--   'e' the session of the session id `name`
--   'g' the sessions of the sid `name`
--   's', 'p' those of the sid that stand at or before the moment on the store's or the provider's clock
--   'u' those of the sid, and the unlabelled ones up to the moment on the provider's clock
-- Answers 1 where a session ended, or 0.
-- A replica refuses it, also where there is nothing to end: it may lack what its primary has.
redis.call('PEXPIREAT', KEYS[2], 1, 'GT')
local kind, name, at, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
if kind == 'u' then raise(KEYS[2], 3, at, clock + tonumber(ARGV[4])) end
