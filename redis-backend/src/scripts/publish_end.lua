
-- Announces. KEYS registry  ARGV channel, message, id
return announce(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
