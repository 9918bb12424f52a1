"""Requests that no careful caller would send, and what each engine makes of them; the same ones for a seed.

    values.py    JSON values that are odd, and the texts that hold them
    arrays.py    npy and csv
    media.py     pictures, recordings, forms
    chat.py      chats with odd fields, for llama.cpp
    calls.py     calls of the APIs under `/v1` with odd values at any depth
    forms.py     forms with recordings
    requests.py  a whole request: body, headers, framing
    sending.py   sends requests, several at once, and counts what comes back
    served.py    an API with every engine, to send them to
    routes.py    an API with its own routes, and what each of them takes
    run.py       sends each entry its requests, and looks at logs, processes and memory

`make bench BENCH=bad_requests` sends 5,000 to each engine and to the routes; a few are sent by
`tests/end_to_end/test_bad_requests.py`, and as many as it says by `python -m bench.faults.bad_requests`.
"""
