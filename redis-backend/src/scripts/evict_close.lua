end

-- Announces it, in the same step. KEYS …, registry  ARGV …, channel, message, id
-- Answers with what the eviction answers, and with what the announcement does.
local ended = evict()
if type(ended) == 'table' then return ended end
return {ended, announce(KEYS[3], ARGV[#ARGV - 2], ARGV[#ARGV - 1], ARGV[#ARGV])}
