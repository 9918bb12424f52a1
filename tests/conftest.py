"""What holds for every test: nothing but loopback is asked for anything."""

from __future__ import annotations

import os

os.environ.setdefault("MLAPI_JUMPSTART_MIRROR", "http://127.0.0.1:9")
"""JumpStart's bucket is elsewhere; at this address nothing answers. Tests that need one make their own."""
