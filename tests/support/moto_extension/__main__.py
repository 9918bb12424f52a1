"""moto's server with the gaps closed, and copies of it: `python -m support.moto_extension PORT`.

What takes seconds is done once: the imports, and what is put into this server. Each line of its standard
input, `{"port": …, "log": "…"}`, makes a copy as it then is, with the same content, in a process of its own;
its id is printed. When its input ends, this server ends, and every copy.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading

from moto.server import main

from support.moto_extension import close_gaps


def copy_on_demand() -> None:
    """Makes a copy for each line of the standard input, then ends everything."""
    copies = []
    for line in sys.stdin:
        wanted = json.loads(line)
        copy = os.fork()
        if not copy:
            serve_copy(wanted["port"], wanted["log"])
        copies.append(copy)
        sys.stdout.write(f"{copy}\n")
        sys.stdout.flush()
    for copy in copies:
        with contextlib.suppress(ProcessLookupError):
            os.kill(copy, signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)


def serve_copy(port: int, log: str) -> None:
    """Serves in the process that was just forked; never returns."""
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for ours in (sys.stdout.fileno(), sys.stderr.fileno()):
            os.dup2(output, ours)
        os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
        os.environ["MOTO_PORT"] = str(port)
        main(["-p", str(port)])
    finally:
        os._exit(0)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.INFO)  # a line for each call, with its status
    close_gaps()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    threading.Thread(target=copy_on_demand, daemon=True).start()
    main(["-p", sys.argv[1]])
