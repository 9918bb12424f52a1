"""Requests that no careful caller would send, and what each engine makes of them; the same ones for a seed.

    values.py    JSON values that are odd, and the texts that hold them
    arrays.py    npy and csv
    media.py     pictures, recordings, forms
    chat.py      chats with odd fields, for llama.cpp
    requests.py  a whole request: body, headers, framing
    sending.py   sends requests, several at once, and counts what comes back
    served.py    an API with every engine, to send them to
    run.py       sends each entry its requests, and looks at logs, processes and memory

`make bench BENCH=bad_requests` sends 5,000 to each engine; `tests/end_to_end/test_bad_requests.py` a few. One
entry of an API that runs gets them from `python -m bench.faults.bad_requests`.
"""
