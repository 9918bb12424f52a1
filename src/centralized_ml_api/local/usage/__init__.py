"""What was called here: the access log, counted into a small store that outlives it.

`store` keeps the counts and `writing` adds to them, `line` and `part` read the log, `collector` brings one
into the other.
"""
