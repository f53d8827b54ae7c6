
-- Ends the sessions of many accounts that stand at or before a moment of the store's clock.
-- KEYS account* or, where each is marked, (account, marker)*
-- ARGV moment, life of the markers ('' none), now
-- Answers with a text of a digit for each account: 1 where a session ended, 0 where none, 2 where a newer one lives and the
-- account needs a pass of its own.
local time = redis.call('TIME')
local at, now, step = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[2] == '' and 1 or 2
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + (tonumber(ARGV[2]) or 0)
local marker = struct.pack('>I8I8I8I8I8I8', at, expires, 0, 0, 0, 0)
local digits, gone = {}, {}
-- What memory pressure can't refuse comes first: nothing after it is refused then.
if step == 2 then redis.call('PEXPIREAT', KEYS[2], expires, 'GT') end
for i = 1, #KEYS, step do
  local account, digit = KEYS[i], '0'
  if step == 2 and not redis.call('SET', KEYS[i + 1], marker, 'PXAT', expires, 'NX') then
    raise(KEYS[i + 1], 1, at, expires)
  end
  local newest = redis.pcall('HGET', account, 'n')
  if type(newest) == 'string' then
    digit = '2'
    if #newest == 24 then
      local store, _, ends = struct.unpack('>I8I8I8', newest)
      if store <= at then digit = ends > now and '1' or '0' end
    end
  elseif newest and not string.find(newest.err, 'WRONGTYPE', 1, true) then
    return newest
  end
  if digit ~= '2' then gone[#gone + 1] = account end
  digits[#digits + 1] = digit
end
for first = 1, #gone, 1000 do
  redis.call('UNLINK', unpack(gone, first, math.min(first + 999, #gone)))
end
return table.concat(digits)
