"""Measures speed, resource use and behaviour under faults, compared with the alternatives. See `README.md`.

Imports go one way: `__main__` and `page` over `scenarios` over the other modules.
"""
