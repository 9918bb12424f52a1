"""What holds for every test: nothing but loopback is asked for anything, and Ctrl-C is Ctrl-C."""

from __future__ import annotations

import os
import signal

os.environ.setdefault("MLAPI_JUMPSTART_MIRROR", "http://127.0.0.1:9")
"""JumpStart's bucket is elsewhere; at this address nothing answers. Tests that need one make their own."""

os.environ.setdefault("HF_ENDPOINT", "http://127.0.0.1:9")
"""The Hugging Face hub, likewise: the default config names weights there."""

# A run in the background of a shell ignores SIGINT, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
