"""`python -m centralized_ml_api` is `mlapi`."""

from centralized_ml_api.cli import main

main()
