-- Call the next in line, and say how the line stands. Writes nothing while nobody waits.
-- KEYS: line, calls
-- ARGV: now (ms), how many may come, how long a call holds (ms)
-- Places are numbered from 1 and called in their order; those up to `spent` were called too long ago.
local held = redis.call('HMGET', KEYS[1], 'taken', 'called', 'spent', 'born')
local taken, called, spent = tonumber(held[1]) or 0, tonumber(held[2]) or 0, tonumber(held[3]) or 0
local now, holds = tonumber(ARGV[1]), tonumber(ARGV[3])
local more = math.min(tonumber(ARGV[2]), taken - called)
if more > 0 then
  called = redis.call('HINCRBY', KEYS[1], 'called', more)
  redis.call('RPUSH', KEYS[2], ARGV[1] .. ':' .. called)
end
while true do
  local first = redis.call('LINDEX', KEYS[2], 0)
  local at, number = string.match(first or '', '(%d+):(%d+)')
  if not at or now < tonumber(at) + holds then break end
  spent = tonumber(number)
  redis.call('LPOP', KEYS[2])
  redis.call('HSET', KEYS[1], 'spent', number)
end
return {taken, called, spent, tonumber(held[4]) or 0}
