
-- Ends the session of an entry if the entry still has the version whose refresh token was sent.
-- KEYS account  ARGV session id, entry's field, now, version
-- Returns 1 ended, 2 another or no version, 0 signed out, 3 unreadable record.
local session_id, now = ARGV[1], tonumber(ARGV[3])
local read = redis.call('HMGET', KEYS[1], 's:' .. session_id, ARGV[2])
local session, entry = read[1], read[2]
if not session then return 0 end
if string.byte(session, 1) ~= 1 or (#session ~= 26 and #session ~= 42) then return 3 end
if struct.unpack('>I8', session, 19) <= now then return 0 end
if not entry then return 2 end
if #entry < 17 then return 3 end
if struct.unpack('>I8', entry, #entry - 8) <= now then return 2 end
if string.sub(entry, -17, -10) ~= ARGV[4] then return 2 end
local names, sessions = survey()
remove_sessions(names, sessions, {[session_id] = true})
return 1
