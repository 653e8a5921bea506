-- A step of a paper whose questions come one by one: the answer to the question now asked is taken and the next one
-- is asked, or it is only said which one is. One call: of parallel steps one wins, the others find what it left.
-- KEYS: config, attempts, open, drafts
-- ARGV: participant, attempt, now (ms), act, started and deadline in the token (ms), questions, ms a question,
--       number answered (0: none), its bit mask (-1: none of its options), key id, event up to its answers,
--       meta, steps as the client kept them (packed, or empty), prediction (-1: none)
-- act: 'look' changes nothing, 'step' goes on, 'note' keeps the prediction, 'close' takes no more answers
-- The record of an open attempt then has a fifth field, absent while the first question is still asked:
--   {number asked (one more than there are: all were), since (ms), grace spent (ms), masks, prediction or -1}
local grace = redis.call('HGET', KEYS[1], 'grace')
if not grace then return {'unprimed'} end
grace = tonumber(grace)
local pid, attempt, now, act = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local count, each = tonumber(ARGV[7]), tonumber(ARGV[8])
local name = pid .. ':' .. attempt

local raw = redis.call('HGET', KEYS[2], name)
local record = raw and cmsgpack.unpack(raw)
if record and record[1] == 2 then return {'handed'} end
if record and record[1] == 3 then return {'expired'} end
if not record then
  -- Lost with Redis's disk: the token says the times, and what the client kept says how far it was.
  record = {1, tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[13]}
  if ARGV[14] ~= '' then record[5] = cmsgpack.unpack(ARGV[14]) end
end
local steps = record[5]
if not steps then
  steps = {1, record[2], 0, {}, -1}
  for place = 1, count do steps[4][place] = 0 end
  record[5] = steps
end
local deadline = record[3]
if now > deadline + grace then
  -- What was stepped is kept as the draft, and is handed in as it stands.
  if redis.call('HEXISTS', KEYS[4], name) == 0 then return {'expired'} end
  return {'over', deadline, cmsgpack.pack(steps)}
end

local asked, since, spent = steps[1], steps[2], steps[3]
local answered, mask = tonumber(ARGV[9]), tonumber(ARGV[10])
-- A question that was not asked yet: whether it is on the paper is not said.
if answered > asked then return {'ahead'} end
-- The grace is one for the whole paper: what a late answer took of it the next ones lack.
local counts = now <= since + each + grace - spent
local moved = false
if act == 'step' and asked <= count then
  if answered == asked and counts then
    if mask < 0 then return {'unfit'} end
    steps[4][asked] = mask
    steps[3] = spent + math.max(0, now - since - each)
  end
  moved = answered == asked or not counts
  if moved then steps[1], steps[2] = asked + 1, now end
elseif act == 'close' and asked <= count then
  moved = true
  steps[1], steps[2] = count + 1, now
elseif act == 'note' then
  moved = true
  steps[5] = tonumber(ARGV[15])
end

if moved then
  if not raw then
    -- The cap goes on from the highest attempt seen, as with a hand-in.
    local person = redis.call('HGET', KEYS[2], pid)
    local started, open = 0, 0
    if person then
      local p = cmsgpack.unpack(person)
      started, open = p[1], p[2]
    end
    redis.call('HSET', KEYS[2], pid, cmsgpack.pack({math.max(started, attempt), open > 0 and open or attempt}))
    redis.call('ZADD', KEYS[3], deadline, name)
  end
  redis.call('HSET', KEYS[2], name, cmsgpack.pack(record))
  -- The draft that the sweeper hands in, as lua/draft.lua keeps it. Put together byte by byte: the paper in the event
  -- is binary, which Lua could only pack as text.
  local prediction = steps[5] >= 0 and cmsgpack.pack(steps[5]) or cmsgpack.pack(nil)
  local event = ARGV[12] .. cmsgpack.pack(steps[4]) .. prediction .. cmsgpack.pack(now)
  redis.call('HSET', KEYS[4], name, steps[1] .. '.' .. ARGV[11] .. '.' .. event)
end
return {'asked', deadline, cmsgpack.pack(steps)}
