-- Send prepared requests, one after the other: PREFIX.0 for the first thread, PREFIX.1 for the second…
-- A record is its length in bytes, a line break, and the raw HTTP request.
-- Second argument: the connections of a thread.
local threads = 0
local answered = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  prefix = args[1] .. "." .. number
  connections = tonumber(args[2])
  file = assert(io.open(prefix, "rb"))
  file:setvbuf("full", 1048576)
end

function request()
  -- The first thread's first request is made for wrk's own look at the script and never sent.
  if number == 0 and not looked then
    looked = true
    return wrk.format("GET", "/healthz")
  end
  local length = tonumber(file:read("*l") or "")
  if not length then
    -- Each connection comes here once, when its last one is answered: half a request makes no work for the server,
    -- and no answer will bring it here again.
    if answered == 0 then mark(".sent") end
    answered = answered + 1
    if answered == connections then mark(".answered") end
    return "GET /healthz HTTP/1.1\r\n"
  end
  return file:read(length)
end

function mark(name)
  io.open(prefix .. name, "w"):close()
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nREPORT {"requests": %d, "seconds": %f, "bad_status": %d, "broken": %d, "p50_ms": %f, "p99_ms": %f, "max_ms": %f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
