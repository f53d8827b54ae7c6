
-- Ends the sessions of many accounts that stand at or before a moment of the store's clock.
-- KEYS account* or, where each is marked, (account, marker)*
-- ARGV moment, life of the markers ('' none), now
-- Answers with a text of a digit for each account: 1 where a session ended, 0 where none, 2 where a newer one lives and the
-- account needs a pass of its own.
local time = redis.call('TIME')
local at, now, step = tonumber(ARGV[1]), tonumber(ARGV[3]), ARGV[2] == '' and 1 or 2
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + (tonumber(ARGV[2]) or 0)
local answers, gone = {}, {}
for i = 1, #KEYS, step do
  local account = KEYS[i]
  if step == 2 then raise(KEYS[i + 1], 's', at, expires) end
  local answer, newest = '0', redis.pcall('HGET', account, 'n')
  if type(newest) == 'table' and not string.find(newest.err, 'WRONGTYPE', 1, true) then return newest end
  if type(newest) == 'string' then
    answer = '2'
    if #newest == 24 then
      local store, _, ends = struct.unpack('>I8I8I8', newest)
      if store <= at then answer = ends > now and '1' or '0' end
    end
  end
  if answer ~= '2' then gone[#gone + 1] = account end
  answers[#answers + 1] = answer
end
for first = 1, #gone, 1000 do
  redis.call('UNLINK', unpack(gone, first, math.min(first + 999, #gone)))
end
return table.concat(answers)
