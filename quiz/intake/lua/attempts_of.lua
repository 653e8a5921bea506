-- How many attempts a participant started, and the number of the open one or 0.
-- KEYS: attempts   ARGV: participant
local raw = redis.call('HGET', KEYS[1], ARGV[1])
if not raw then return {0, 0} end
local person = cmsgpack.unpack(raw)
return {person[1], person[2]}
