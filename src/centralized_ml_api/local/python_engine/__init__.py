"""The engine `python`: a folder with `inference.py`, served in an environment of its own.

    requirements.py        what an environment depends on, and its key
    environment.py         the environment of a folder, built once
    install.py             pip, for an environment
    unused.py              environments that nobody needs any more
    model_folder.py        the folder that `model_fn` gets
    start.py               the first thing a model's process runs
    mlapi_model_server/    the server in that process; it imports nothing of ours outside of itself

`local/servers/python.py` starts the process.
"""

from __future__ import annotations

from centralized_ml_api.local.python_engine.environment import (
    Environment,
    find_environment,
    prepare_environment,
)
from centralized_ml_api.local.python_engine.model_folder import find_model_folder

__all__ = ["Environment", "find_environment", "find_model_folder", "prepare_environment"]
