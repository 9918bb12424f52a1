"""`python -m centralized_ml_api.local.admission`: serves Envoy in the working folder until SIGTERM."""

import sys

from centralized_ml_api.local.admission.server import main

if __name__ == "__main__":
    sys.exit(main())
