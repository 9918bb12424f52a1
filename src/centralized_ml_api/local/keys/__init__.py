"""The keys of teams on one machine: the file they live in, what changes them, who is told.

record   the keys of one team, and how they change; pure
store    `keys.json` of the state folder: one writer at a time, replaced as a whole
local    `LocalKeys`: what the verb `mlapi keys` does
ring     `KeyRing`: the keys that open the gateway now, for the process that serves
"""

from centralized_ml_api.local.keys.local import LocalKeys
from centralized_ml_api.local.keys.ring import KeyRing
from centralized_ml_api.local.keys.store import KeyStore

__all__ = ["KeyRing", "KeyStore", "LocalKeys"]
