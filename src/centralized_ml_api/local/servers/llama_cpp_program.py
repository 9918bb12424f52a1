"""The program of llama.cpp's server, for who starts it and has no time to import more."""

from __future__ import annotations

import sys
from pathlib import Path

# By its path, not as a module: the process then imports llama.cpp and nothing of ours.
# -P: a file of the user that is called like a module (json.py) must not take its place.
PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("llama_cpp_main.py")))

STACK_BYTES = 2**30
"""For what llama.cpp does by recursion: with the usual 8 MiB, a chain of 150,000 grammar rules ends it."""
