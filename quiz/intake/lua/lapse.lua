-- Close an overdue attempt that has no draft: the attempt is used, there is no entry.
-- KEYS: config, attempts, open, drafts      ARGV: participant, attempt, now (ms)
local grace = redis.call('HGET', KEYS[1], 'grace')
if not grace then return {'unprimed'} end
local pid, attempt = ARGV[1], tonumber(ARGV[2])
local name = pid .. ':' .. attempt
local raw = redis.call('HGET', KEYS[2], name)
local record = raw and cmsgpack.unpack(raw)
if not record or record[1] ~= 1 then
  redis.call('ZREM', KEYS[3], name)
  return {'gone'}
end
if tonumber(ARGV[3]) <= record[3] + tonumber(grace) then return {'open', record[3]} end
local draft = redis.call('HGET', KEYS[4], name)
if draft then return {'draft', record[3], draft} end
redis.call('HSET', KEYS[2], name, cmsgpack.pack({3, record[3]}))
redis.call('ZREM', KEYS[3], name)
local person = cmsgpack.unpack(redis.call('HGET', KEYS[2], pid))
if person[2] == attempt then
  redis.call('HSET', KEYS[2], pid, cmsgpack.pack({person[1], 0}))
end
return {'lapsed'}
