-- Returns the record of the namespace, and the time. KEYS record
return {redis.call('GET', KEYS[1]), redis.call('TIME')}
