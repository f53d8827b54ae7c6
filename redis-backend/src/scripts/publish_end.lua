
-- Publishes a message. KEYS registry  ARGV channel, message, id
return publish(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
