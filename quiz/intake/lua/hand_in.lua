-- Hand in a sheet: the attempt's record is marked and the entry joins the stream, or neither happens.
-- KEYS: config, attempts, open, drafts, entries
-- ARGV: participant, attempt, received (ms), deadline in the token (ms), proof, event,
--       mode: 'person' (now), 'proven' (a receipt proves the time), 'deadline' (the sweeper hands in the draft)
local c = redis.call('HMGET', KEYS[1], 'grace', 'late')
if not c[1] then return {'unprimed'} end
local pid, attempt = ARGV[1], tonumber(ARGV[2])
local name = pid .. ':' .. attempt
local received, deadline = tonumber(ARGV[3]), tonumber(ARGV[4])
local mode, kind = ARGV[7], 1

local held = redis.call('HMGET', KEYS[2], name, pid)
local record = held[1] and cmsgpack.unpack(held[1])
if record then
  if record[1] == 2 then return {'again', record[2], record[3]} end
  -- Extra time, a pause and a moved window are written onto the attempt: its own deadline wins over the token's.
  deadline = record[1] == 1 and record[3] or record[2]
end

if mode == 'deadline' then
  kind = 2
elseif received > deadline + tonumber(c[1]) then
  local draft = redis.call('HGET', KEYS[4], name)
  if draft and mode == 'person' then return {'draft', deadline, draft} end
  if received > deadline + tonumber(c[1]) + tonumber(c[2]) then return {'expired'} end
  kind = 3
end

-- A record lost with Redis's disk comes back through its papers: the cap goes on from the highest attempt seen.
local started, open = 0, 0
if held[2] then
  local person = cmsgpack.unpack(held[2])
  started, open = person[1], person[2]
end
if open == attempt then open = 0 end
redis.call('HSET', KEYS[2], name, cmsgpack.pack({2, received, ARGV[5]}),
           pid, cmsgpack.pack({math.max(started, attempt), open}))
redis.call('ZREM', KEYS[3], name)
redis.call('HDEL', KEYS[4], name)
redis.call('XADD', KEYS[5], '*', 'e', ARGV[6] .. string.char(kind))
return {'accepted', received, ARGV[5]}
