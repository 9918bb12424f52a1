"""The traffic of now, for `mlapi status --watch` and for Prometheus. Past calls are in `local/usage`.

types     what Envoy has counted since it started, and what each team may call
read      asks Envoy and says to which model each count belongs
pace      two readings -> calls per second, errors, latencies
metrics   all of it in Prometheus' text format, and where Prometheus scrapes it
"""
