-- The namespace's record and the clock. KEYS record
return {redis.call('GET', KEYS[1]), redis.call('TIME')}
