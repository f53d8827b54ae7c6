
-- Evicts one session of an account, or those with a sid, or those with a sid and those without any.
-- KEYS account, not-before times
-- ARGV kind, name, cutoff, lifetime of the not-before time, now; the kinds:
--   'e' the session with the id `name`
--   'g' the sessions with the sid `name`
--   's', 'p' those with the sid at or before the cutoff on the store's or the provider's clock
--   'u' those with the sid, and those without any sid at or before the cutoff on the provider's clock
-- Returns 1 if a live session was evicted, or 0.
-- A write command, so that a replica refuses the script: it may lack sessions that its primary has.
redis.call('PEXPIREAT', KEYS[2], 1, 'GT')
local kind, name, at, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
if kind == 'u' then raise_not_before(KEYS[2], 3, at, clock + tonumber(ARGV[4])) end
