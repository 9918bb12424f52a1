"""What is called now: for `mlapi status --watch` and for Prometheus. What was called is `local/usage`.

counted   what Envoy has counted since it started, as data;  parse: out of its own words
pace      two of those -> calls a second, errors, latencies
limits    what each team may, and what it has used today
read      asks the gateway, and says which model each count is of
metrics   all of it in Prometheus' words;  listen: where Prometheus fetches it
"""
