-- Writes an entry of a live session.
-- KEYS account [, lock]
-- ARGV field of the session, field of the entry, now, value, mode ('' overwrite, '-' create, or the version to update) [, owner of the lock]
-- A creating write stores its version, and fails if the version is already stored: it is a late copy of a write whose entry was removed.
-- The last 64 versions of each entry are kept.
-- Returns 1 stored, 2 precondition failed, 0 signed out, 3 unreadable record.
if KEYS[2] and redis.call('GET', KEYS[2]) == ARGV[6] then redis.call('UNLINK', KEYS[2]) end
local session = redis.call('HGET', KEYS[1], ARGV[1])
if not session then return 0 end
if string.byte(session, 1) ~= 1 or (#session ~= 26 and #session ~= 42) then return 3 end
local now = tonumber(ARGV[3])
if struct.unpack('>I8', session, 19) <= now then return 0 end
local own, creations, created = string.sub(ARGV[4], -17, -10), 'c' .. string.sub(ARGV[2], 2), nil
if ARGV[5] ~= '' then
  local entry, there = redis.call('HGET', KEYS[1], ARGV[2]), '-'
  if entry then
    if #entry < 17 then return 3 end
    if struct.unpack('>I8', entry, #entry - 8) > now then there = string.sub(entry, -17, -10) end
  end
  if there ~= ARGV[5] and there ~= own then return 2 end
  if there == '-' then
    created = redis.call('HGET', KEYS[1], creations) or ''
    if #created % 8 ~= 0 then return 3 end
    for at = 1, #created, 8 do
      if string.sub(created, at, at + 7) == own then return 2 end
    end
  end
end
if created then
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[4], creations, string.sub(created .. own, -512))
else
  redis.call('HSET', KEYS[1], ARGV[2], ARGV[4])
end
return 1
