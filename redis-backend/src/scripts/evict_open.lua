local function evict()
