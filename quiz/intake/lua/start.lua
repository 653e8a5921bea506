-- Open an attempt, or find the open one. One call, so that any number of racing clients get the same answer.
-- KEYS: config, attempts, open, drafts, bars
-- ARGV: now (ms), participant, auth epoch of the session, meta (opaque bytes kept with the attempt)
-- Records are MessagePack arrays:
--   PID          {started, open attempt or 0}
--   PID:ATTEMPT  {1, started ms, deadline ms, meta} open
--                {2, received ms, proof} handed in
--                {3, deadline ms} lapsed
local c = redis.call('HMGET', KEYS[1], 'windows', 'cap', 'limit', 'grace')
if not c[1] then return {'unprimed'} end
local now, pid = tonumber(ARGV[1]), ARGV[2]

local bars = redis.call('HMGET', KEYS[5], pid, pid .. ':c')
local bar = bars[1]
if bars[2] then return {'barred_here'} end
if bar then
  if bar == 'x' then return {'barred'} end
  if tonumber(ARGV[3]) < tonumber(bar) then return {'stale'} end
end

local started, open = 0, 0
local raw = redis.call('HGET', KEYS[2], pid)
if raw then
  local person = cmsgpack.unpack(raw)
  started, open = person[1], person[2]
end
if open > 0 then
  local name = pid .. ':' .. open
  local record = cmsgpack.unpack(redis.call('HGET', KEYS[2], name))
  if now <= record[3] + tonumber(c[4]) then
    return {'again', open, record[2], record[3], record[4], started}
  end
  -- Its time is over and the sweeper has not come by yet: the caller settles it and calls again.
  return {'overdue', open, record[3], redis.call('HGET', KEYS[4], name)}
end

local closes
for _, window in ipairs(cmsgpack.unpack(c[1])) do
  if window[1] <= now and now < window[2] then closes = window[2] end
end
if not closes then return {'closed'} end
local cap = tonumber(c[2])
-- An entry names its attempt in two bytes, so even a round without a cap ends there.
if started >= (cap > 0 and cap or 32767) then return {'exhausted'} end

local attempt = started + 1
local deadline = math.min(now + tonumber(c[3]), closes)
local name = pid .. ':' .. attempt
redis.call('HSET', KEYS[2], pid, cmsgpack.pack({attempt, attempt}),
           name, cmsgpack.pack({1, now, deadline, ARGV[4]}))
redis.call('ZADD', KEYS[3], deadline, name)
return {'opened', attempt, now, deadline, ARGV[4], attempt}
