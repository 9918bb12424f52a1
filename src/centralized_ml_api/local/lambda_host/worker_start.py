"""The first thing a worker runs: ties its life to the host's, then becomes AWS's runtime client.

Started by path, with the host's process id and the handler as arguments. A hook between fork and exec would
do the same but is not safe in a host that has threads.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_the_host(host: int) -> None:
    """Lets the kernel kill this process when the host ends, however it ends.

    Elsewhere than on Linux the closed connection to the Runtime API ends it.
    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host:  # it ended before the call above
        sys.exit(1)


if __name__ == "__main__":
    die_with_the_host(int(sys.argv.pop(1)))
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
