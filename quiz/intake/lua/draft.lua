-- Keep a draft: what the sweeper hands in when the time is over.
-- KEYS: config, attempts, drafts
-- ARGV: participant, attempt, now (ms), deadline in the token (ms), seq, event
local grace = redis.call('HGET', KEYS[1], 'grace')
if not grace then return {'unprimed'} end
local name = ARGV[1] .. ':' .. ARGV[2]
local deadline = tonumber(ARGV[4])
local raw = redis.call('HGET', KEYS[2], name)
if raw then
  local record = cmsgpack.unpack(raw)
  -- Handed in already: the first answers stand, and a late draft is no error for the phone.
  if record[1] == 2 then return {'kept'} end
  deadline = record[1] == 1 and record[3] or record[2]
end
if tonumber(ARGV[3]) > deadline + tonumber(grace) then return {'expired'} end
-- Kept as SEQ.KEY_ID.EVENT: the event is binary, so nothing may wrap it that would have to guess its encoding.
local old = redis.call('HGET', KEYS[3], name)
if old and tonumber(string.match(old, '^%d+')) > tonumber(ARGV[5]) then return {'kept'} end
redis.call('HSET', KEYS[3], name, ARGV[5] .. '.' .. ARGV[6])
return {'kept'}
