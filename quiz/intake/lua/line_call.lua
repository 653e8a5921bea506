-- Call the next in line, say how fast this process takes them in, and learn how the line stands.
-- Writes nothing while nobody waits.
-- KEYS: line, calls, paces
-- ARGV: now (ms), how many may come, how long a call holds (ms), the highest place that came in here, this process's
--       name, its pace (people in a thousand seconds), how long a pace holds (ms)
-- Places are numbered from 1 and called in their order; those up to `spent` were called too long ago.
local held = redis.call('HMGET', KEYS[1], 'taken', 'called', 'spent', 'born', 'came')
local taken, called, spent = tonumber(held[1]) or 0, tonumber(held[2]) or 0, tonumber(held[3]) or 0
local came = tonumber(held[5]) or 0
local now, holds = tonumber(ARGV[1]), tonumber(ARGV[3])
local waiting = taken > called
local more = math.min(tonumber(ARGV[2]), taken - called)
if more > 0 then
  called = redis.call('HINCRBY', KEYS[1], 'called', more)
  redis.call('RPUSH', KEYS[2], ARGV[1] .. ':' .. called)
end
local here = math.min(tonumber(ARGV[4]), called)
if waiting and here > came then
  came = here
  redis.call('HSET', KEYS[1], 'came', came)
end
while true do
  local first = redis.call('LINDEX', KEYS[2], 0)
  local at, number = string.match(first or '', '(%d+):(%d+)')
  if not at or now < tonumber(at) + holds then break end
  spent = tonumber(number)
  redis.call('LPOP', KEYS[2])
  redis.call('HSET', KEYS[1], 'spent', number)
end
local pace = 0
if waiting then
  if tonumber(ARGV[6]) > 0 then redis.call('HSET', KEYS[3], ARGV[5], ARGV[1] .. ':' .. ARGV[6]) end
  local paces = redis.call('HGETALL', KEYS[3])
  for place = 1, #paces, 2 do
    local at, each = string.match(paces[place + 1], '(%d+):(%d+)')
    if now < tonumber(at) + tonumber(ARGV[7]) then
      pace = pace + tonumber(each)
    else
      redis.call('HDEL', KEYS[3], paces[place])
    end
  end
end
return {taken, called, spent, tonumber(held[4]) or 0, came, pace}
