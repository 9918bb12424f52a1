"""Runs first in a worker: ties its life to the host's, then becomes AWS's runtime client.

It is started by path, with the host's process id and the handler as arguments. A hook between fork and exec
would do the same, but is not safe in a host that has threads.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_the_host(host: int) -> None:
    """Makes the kernel kill this process when the host ends, however it ends.

    On other systems than Linux the closed connection to the Runtime API ends it.

    Source: https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host:  # the host ended before the call above
        sys.exit(1)


if __name__ == "__main__":
    die_with_the_host(int(sys.argv.pop(1)))
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
