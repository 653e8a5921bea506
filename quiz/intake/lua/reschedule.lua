-- Give an open attempt the deadline that the round's windows of today allow: the window may have been moved since.
-- KEYS: config, attempts, open      ARGV: PID:ATTEMPT
local c = redis.call('HMGET', KEYS[1], 'windows', 'limit')
if not c[1] then return {'unprimed'} end
local raw = redis.call('HGET', KEYS[2], ARGV[1])
local record = raw and cmsgpack.unpack(raw)
if not record or record[1] ~= 1 then return {'gone'} end
local started, deadline = record[2], nil
for _, window in ipairs(cmsgpack.unpack(c[1])) do
  if window[1] <= started and started < window[2] then
    deadline = math.min(started + tonumber(c[2]), window[2])
  end
end
-- No attempt loses time by a move: a window that no longer holds its start leaves the deadline as it is.
if not deadline or deadline <= record[3] then return {'kept'} end
record[3] = deadline
redis.call('HSET', KEYS[2], ARGV[1], cmsgpack.pack(record))
redis.call('ZADD', KEYS[3], deadline, ARGV[1])
return {'moved'}
