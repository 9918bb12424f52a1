"""`python -m centralized_ml_api.local.admission`: serves Envoy in the working folder until SIGTERM."""

import gc
import sys

gc.disable()  # while it imports, Python would look for garbage some hundred times where there is none
from centralized_ml_api.local.admission.server import main  # noqa: E402  # what takes so long

gc.enable()

if __name__ == "__main__":
    sys.exit(main())
