"""Past calls: the access log, counted into a small store that outlives it.

collector     counts what is new in the log, and goes on doing so while `mlapi up` runs
log_lines     reads a segment of the log and parses its lines
store         the counts on disk
transaction   what is written to the store at once
recent_errors, first_words: what the end of the log tells of the last minutes
statements    its tables and every SQL statement
"""
