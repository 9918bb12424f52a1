"""Serves TensorZero's gateway until it is ended: `python serve.py CONFIG FILE`.

The package has the gateway, in Rust, for programs in Python that are to call it in their own process. It
chooses a port of loopback, which is written to FILE.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from openai import OpenAI
from tensorzero import patch_openai_client

if __name__ == "__main__":
    client = patch_openai_client(OpenAI(api_key="none"), config_file=sys.argv[1], async_setup=False)
    Path(sys.argv[2]).write_text(str(client.base_url.port), encoding="ascii")
    signal.pause()
