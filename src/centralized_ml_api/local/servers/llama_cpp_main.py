"""The process around llama.cpp's own HTTP server. Run by path: it imports nothing but `xllamacpp`.

    python llama_cpp_main.py --model FILE --alias NAME --context 2048 --parallel 4 --answer-tokens 512 \
        --port 9000

Answers on 127.0.0.1 only. Ends with status 0 on SIGTERM or SIGINT, and with 1 and a last line that says why
when the model cannot be loaded.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import threading
from pathlib import Path

import xllamacpp

CONNECTIONS = 512
"""Threads of llama.cpp's HTTP server.

Each connection holds one while it waits for its turn. With its default (here 8) `/health` went unanswered as
soon as 20 calls were waiting, so a busy server looked like a dead one; 512 of them cost 6 MB.
"""

SPARE_BYTES = 2 * 1024**3
"""What all requests together may take beyond what the server has once it is ready."""

BATCH_TOKENS = 16
"""How many tokens the server computes at a time, on processors.

It reads prompts in the order of its slots, and looks for other work only between two batches. With its
default (2,048) a short prompt waited until a long one was read as a whole; with 16 it is read in between, in
five times the time that it takes alone. Reading costs a sixth more processor time.
"""

_MAGIC = b"GGUF"
_OWN_SIZE = Path("/proc/self/statm")
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def main() -> int:
    """Serves until told to stop; returns the exit status."""
    arguments = _parse_arguments()
    # Loading holds the interpreter, no handler of ours would run: let a signal end the process right there.
    _on_stop_signals(signal.SIG_DFL)
    try:
        _check_model(arguments.model)
        server = xllamacpp.Server(_build_parameters(arguments))
    except OSError as exc:
        return _fail(arguments, exc.strerror or str(exc))
    except (ValueError, OverflowError) as exc:
        return _fail(arguments, str(exc))
    except RuntimeError:  # says only "Failed to init server, please check the input params."
        return _fail(arguments, "the lines above say why (a damaged file, too little memory, a port in use)")
    _on_stop_signals(lambda *_: _leave())
    _limit_memory()
    _say(f"serving {arguments.alias} on {server.listening_address}")
    threading.Event().wait()
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve one GGUF model with llama.cpp on 127.0.0.1.")
    parser.add_argument("--model", type=Path, required=True, help="the GGUF file")
    parser.add_argument("--alias", required=True, help='what answers name as "model"')
    parser.add_argument("--context", type=int, required=True, help="tokens of one conversation")
    parser.add_argument("--parallel", type=int, required=True, help="conversations at once; more calls wait")
    parser.add_argument(
        "--answer-tokens", type=int, required=True, help="the longest answer, unless a request asks for more"
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--keep-prompts-apart", action="store_true", help="no call reuses the beginning of another's prompt"
    )
    return parser.parse_args()


def _check_model(model: Path) -> None:
    """Refuses what is not a model in one plain line; llama.cpp needs twenty."""
    with model.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("it is not a GGUF file")


def _build_parameters(arguments: argparse.Namespace) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(arguments.model)
    parameters.model_alias = {arguments.alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = arguments.port
    _set_conversations(parameters, arguments)
    _set_threads(parameters)
    _set_batches(parameters)
    _set_start(parameters)
    _set_surface(parameters)
    return parameters


def _set_conversations(parameters: xllamacpp.CommonParams, arguments: argparse.Namespace) -> None:
    # Separate caches instead of a unified one: the same memory, but a long conversation cannot take the room
    # of the others, which would then fail half way through an answer.
    parameters.n_parallel = arguments.parallel
    parameters.n_ctx = arguments.parallel * arguments.context
    parameters.kv_unified = False
    parameters.n_predict = arguments.answer_tokens
    # The cache for past prompts may take 8 GiB by default: too much for a laptop that serves several models.
    parameters.cache_ram_mib = 0
    parameters.cache_prompt = not arguments.keep_prompts_apart


def _set_threads(parameters: xllamacpp.CommonParams) -> None:
    # One core stays free for the gateway: with all of them busy, two threads wait for each other, and the
    # speed fell from 60 to as little as 2 tokens a second.
    threads = max(1, usable_cores() - 1)
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.n_threads_http = CONNECTIONS


def _set_batches(parameters: xllamacpp.CommonParams) -> None:
    if not _has_gpu():  # which reads a long prompt in a moment, but only in large batches
        parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS


def _set_start(parameters: xllamacpp.CommonParams) -> None:
    # Neither a trial run nor, without a GPU, a trial load to see what fits there: half the time until ready.
    parameters.warmup = False
    parameters.fit_params = _has_gpu()


def _set_surface(parameters: xllamacpp.CommonParams) -> None:
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.endpoint_metrics = True  # how the supervisor sees whether the main loop still turns
    # The gateway alone speaks CORS. An explicit origin that no page has keeps the header out of every answer.
    parameters.cors_origins = "localhost"
    parameters.cors_origins_explicit = True


def _has_gpu() -> bool:
    return any("GPU" in str(device.get("type")) for device in xllamacpp.get_device_info())


def _limit_memory() -> None:
    """Makes a request for too much memory an error of that request, rather than the end of the machine.

    Counted from what is mapped already: the weights, the caches, the stacks of all threads. Drivers of GPUs
    reserve far more than they use, and macOS knows no such limit: neither gets one.
    """
    if _OWN_SIZE.exists() and not _has_gpu():
        mapped_bytes = int(_OWN_SIZE.read_text().split()[0]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        if most == resource.RLIM_INFINITY or mapped_bytes + SPARE_BYTES < most:
            resource.setrlimit(resource.RLIMIT_AS, (mapped_bytes + SPARE_BYTES, most))


def usable_cores(quota_file: Path = _CGROUP_QUOTA) -> int:
    """Returns how many cores this process may use: its affinity, limited by the quota of its container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text().split()
        return min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):  # no such file outside Linux; "max" is no number: no quota
        return cores


def _fail(arguments: argparse.Namespace, reason: str) -> int:
    _say(f"error: llama.cpp cannot serve {arguments.model}: {reason}")
    return 1


def _on_stop_signals(handler: signal._HANDLER) -> None:
    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGINT, handler)


def _leave() -> None:
    """Ends at once: there is nothing to save, and llama.cpp's own way out waits for every open connection."""
    _say("stopped")
    os._exit(0)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  llama.cpp logs there too


if __name__ == "__main__":
    sys.exit(main())
