"""moto's server with the gaps closed: `python -m support.moto_extension PORT`."""

from __future__ import annotations

import logging
import sys

from moto.server import main

from support.moto_extension import close_gaps

if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("werkzeug").setLevel(logging.INFO)  # a line for each call, with its status
    close_gaps()
    main(["-p", sys.argv[1]])
