"""A process of its own each time: a C library gives heaps to the threads of the whole process."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from centralized_ml_api.local.machine.memory import machine_memory_bytes

COUNT_HEAPS = """
import ctypes, sys, threading
from centralized_ml_api.local.machine.memory import share_heap
if sys.argv[1] == "shared":
    share_heap()
libc, every = ctypes.CDLL(None), threading.Barrier(4)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info.argtypes, libc.fflush.argtypes = (ctypes.c_int, ctypes.c_void_p), (ctypes.c_void_p,)
def allocate():
    every.wait()
    libc.malloc(100_000)
    every.wait()
threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
output = libc.fdopen(1, b"w")
libc.malloc_info(0, output)
libc.fflush(output)
"""


def count_heaps(how: str) -> int:
    command = [sys.executable, "-c", COUNT_HEAPS, how]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other heaps")
def test_all_threads_share_one_heap() -> None:
    assert count_heaps("apart") > 1
    assert count_heaps("shared") == 1


def test_a_machine_has_memory() -> None:
    assert machine_memory_bytes() > 2**28
