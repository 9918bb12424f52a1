"""`python -m centralized_ml_api.local.lambda_host`: hosts the function specified on standard input."""

import asyncio
import sys

from centralized_ml_api.local.lambda_host.host import serve
from centralized_ml_api.local.lambda_host.server import read_specification

if __name__ == "__main__":
    sys.exit(asyncio.run(serve(read_specification(sys.stdin.buffer.read()))))
