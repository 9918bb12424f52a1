"""The engine `python`: a folder with `inference.py`, served in an environment of its own.

    requirements.py        which environment fits a folder, and pip for it
    environment.py         the environment of a folder: built once, shared, removed when unused
    model_folder.py        the folder that `model_fn` gets
    start.py               the first thing a model's process runs
    mlapi_model_server/    the server in that process; it imports nothing of ours outside of itself

`local/servers/python.py` starts the process.
"""

from __future__ import annotations

from centralized_ml_api.local.python_engine.environment import (
    UNUSED_DAYS,
    Environment,
    find_environment,
    prepare_environment,
    remove_unused,
)
from centralized_ml_api.local.python_engine.model_folder import find_model_folder

__all__ = [
    "UNUSED_DAYS",
    "Environment",
    "find_environment",
    "find_model_folder",
    "prepare_environment",
    "remove_unused",
]
