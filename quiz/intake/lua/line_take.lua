-- Take the next place in the line before the door.
-- KEYS: line   ARGV: now (ms)
-- A line is known by when it began: after a lost Redis the numbers begin again, and old tickets must not meet them.
redis.call('HSETNX', KEYS[1], 'born', ARGV[1])
return {redis.call('HINCRBY', KEYS[1], 'taken', 1), tonumber(redis.call('HGET', KEYS[1], 'born'))}
