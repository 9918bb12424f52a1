"""What may go wrong while the API serves, done to a real `mlapi up` under load, and what it costs.

Used by the scenario `soak` at full length and by `tests/end_to_end/test_soak.py` at a short one.
"""
