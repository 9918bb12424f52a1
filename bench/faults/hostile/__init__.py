"""Calls that no team should make, as data, and what they cost another team that calls as usual.

    call.py                      what a hostile call is, and which outcome is right
    chat.py tables.py requests.py   the calls: to a language model, to a Python model, to the gateway
    sending.py                   sends them, from one team
    good_team.py                 the other team, which calls at a steady pace
    served.py                    the API for both: llama.cpp, a Python model, a server that entries share
    run.py                       each call once, or all again and again for some minutes

The scenario `hostile` runs it for ten minutes, `tests/end_to_end/test_hostile.py` sends each call once.
"""
