
-- Evicts the sessions of many accounts at or before a cutoff on the store's clock.
-- KEYS account*, or (account, not-before times)* to set the not-before time of each
-- ARGV cutoff, lifetime of the not-before times ('' none), now
-- Returns a digit for each account: 1 if a live session was evicted, 0 if none, 2 if there is a newer session, so that the account
-- needs a pass of its own.
local time = redis.call('TIME')
local at, now, step = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[2] == '' and 1 or 2
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + (tonumber(ARGV[2]) or 0)
local not_before = struct.pack('>I8I8I8I8I8I8', at, expires, 0, 0, 0, 0)
local digits, gone = {}, {}
-- The first write command never fails at maxmemory. Then the later ones do not fail either.
if step == 2 then redis.call('PEXPIREAT', KEYS[2], expires, 'GT') end
for i = 1, #KEYS, step do
  local account, digit = KEYS[i], '0'
  if step == 2 and not redis.call('SET', KEYS[i + 1], not_before, 'PXAT', expires, 'NX') then
    raise_not_before(KEYS[i + 1], 1, at, expires)
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
