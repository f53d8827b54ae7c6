end

-- Publishes the eviction in the same script. KEYS …, registry  ARGV …, channel, message, id
-- Returns the result of the eviction and that of the publication.
local ended = evict()
if type(ended) == 'table' then return ended end
return {ended, publish(KEYS[3], ARGV[#ARGV - 2], ARGV[#ARGV - 1], ARGV[#ARGV])}
