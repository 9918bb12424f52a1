"""The keys of teams on one machine: their file, what changes them, and who is told.

record   the keys of one team, and how they change; pure
store    `keys.json` of the state folder: one writer at a time, replaced as a whole
local    `LocalKeys`: what `mlapi keys` shows and changes
ring     `KeyRing`: the keys that are valid now, for the process that serves
places   who may join, and how a team gets a place; pure
roster   the teams of an event as a table; pure
joining  `join.json`: the code by which teams join, and whether they may
invitation  what teams need to join, and what an organizer changes about it
"""

from centralized_ml_api.local.keys.admin import LocalKeys
from centralized_ml_api.local.keys.joining import JoinBook
from centralized_ml_api.local.keys.ring import KeyRing
from centralized_ml_api.local.keys.store import KeyStore

__all__ = ["JoinBook", "KeyRing", "KeyStore", "LocalKeys"]
