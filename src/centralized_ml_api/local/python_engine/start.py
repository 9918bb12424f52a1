"""Makes two packages importable, and nothing else of this machine; the first thing a model's process runs.

    ENVIRONMENT/bin/python -P start.py LIBRARY --code FOLDER --model-dir FOLDER --name NAME --threads 1

`LIBRARY` is a folder with the HTTP library. Neither it nor this file's own folder stays on `sys.path`, so
that `inference.py` finds what its environment has, and no file of ours by accident.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

SERVER = "mlapi_model_server"


def load_library(folder: str) -> None:
    """Imports waitress from `folder`."""
    sys.path.insert(0, folder)
    importlib.import_module("waitress")
    sys.path.remove(folder)


def load_server() -> None:
    """Makes the package beside this file importable by its name alone.

    Raises:
        ImportError: The package is not there.
    """
    file = Path(__file__).with_name(SERVER) / "__init__.py"
    spec = importlib.util.spec_from_file_location(SERVER, file, submodule_search_locations=[str(file.parent)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not there")
    module = importlib.util.module_from_spec(spec)
    sys.modules[SERVER] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    load_library(sys.argv.pop(1))
    load_server()
    sys.exit(importlib.import_module(f"{SERVER}.main").main(sys.argv[1:]))
