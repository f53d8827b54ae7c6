local function cut()
