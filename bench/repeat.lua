-- One and the same GET again and again; wrk makes it from the address and -H.
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nREPORT {"requests": %d, "seconds": %f, "bad_status": %d, "broken": %d, "p50_ms": %f, "p99_ms": %f, "max_ms": %f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
