"""The process around llama.cpp's own HTTP server. Run by path: it imports nothing but `xllamacpp`.

    python llama_cpp_main.py --model FILE --alias NAME --context 2048 --parallel 4 --answer-tokens 512 \
        --port 9000

Answers on 127.0.0.1 only. Ends with status 0 on SIGTERM or SIGINT, and with 1 and a last line that says why
when the model cannot be loaded.
"""

from __future__ import annotations

import argparse
import enum
import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xllamacpp

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECTIONS = 512
"""Threads of llama.cpp's HTTP server.

Each connection holds one while it waits for its turn. With its default (here 8) `/health` went unanswered as
soon as 20 calls were waiting, so a busy server looked like a dead one; 512 of them cost 6 MB.
"""

SPARE_BYTES = 2 * 1024**3
"""What all requests together may take beyond what the server has once it is ready."""

BATCH_TOKENS = 16
"""The most tokens that the server computes at a time, on processors.

It reads prompts in the order of its slots, and looks for other work only between two batches. With its
default (2,048) a short prompt waited until a long one was read as a whole. A batch has a token of each answer
that is being written, and is filled up with a prompt: the larger it is, the slower are answers beside a
prompt. On two cores, an answer beside a long prompt took 14 times as long as alone with 16, 5 times with 4,
and 3 times with 2. A token is read in 4.7 ms by 64, in 7.6 ms by 4, in 8.9 ms by 2; it is written in 16 ms.
"""

_MAGIC = b"GGUF"
_OWN_SIZE = Path("/proc/self/statm")
_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def main() -> int:
    """Serves until told to stop; returns the exit status."""
    arguments = parse_arguments(sys.argv[1:])
    # Loading holds the interpreter, no handler of ours would run: let a signal end the process right there.
    _on_stop_signals(signal.SIG_DFL)
    try:
        _check_files(arguments)
        server = xllamacpp.Server(build_parameters(arguments))
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


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Parses the command line."""
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
    parser.add_argument("--gpu-layers", type=int, help="layers of the model that a GPU computes")
    parser.add_argument("--projector", type=Path, help="the GGUF file with which the model sees pictures")
    parser.add_argument(
        "--adapter", type=json.loads, action="append", default=[], help='{"path": FILE, "scale": NUMBER}'
    )
    parser.add_argument("--settings", type=json.loads, default={}, help="more parameters, a JSON object")
    return parser.parse_args(words)


def _check_files(arguments: argparse.Namespace) -> None:
    """Refuses what is not a model in one plain line; llama.cpp needs twenty."""
    others = [arguments.projector, *(Path(adapter["path"]) for adapter in arguments.adapter)]
    for path in (arguments.model, *(other for other in others if other is not None)):
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                it = "it" if path == arguments.model else str(path)
                raise ValueError(f"{it} is not a GGUF file")


def build_parameters(arguments: argparse.Namespace) -> xllamacpp.CommonParams:
    """Builds the server's parameters: ours, then those of the config."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(arguments.model)
    parameters.model_alias = {arguments.alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = arguments.port
    _set_conversations(parameters, arguments)
    _set_model(parameters, arguments)
    _set_threads(parameters)
    uses_gpu = _has_gpu() and arguments.gpu_layers != 0
    if not uses_gpu:  # which reads a long prompt in a moment, but only in large batches
        threads = parameters.cpuparams.n_threads
        parameters.n_batch = parameters.n_ubatch = count_batch_tokens(arguments.parallel, threads)
    # Neither a trial run nor, without a GPU, a trial load to see what fits there: half the time until ready.
    parameters.warmup = False
    parameters.fit_params = uses_gpu and arguments.gpu_layers is None
    _set_surface(parameters)
    for name, value in arguments.settings.items():
        _set(parameters, name, value)
    return parameters


def count_batch_tokens(parallel: int, threads: int) -> int:
    """Returns how many tokens are computed at a time. Pure.

    One for each conversation at least, as the server requires; then a prompt that is being read gets no more
    of the processor than an answer. One for each thread, or many threads would wait for memory, up to
    `BATCH_TOKENS`.

    Args:
        parallel: Conversations at once.
        threads: Threads that compute.
    """
    if parallel == 1:
        return BATCH_TOKENS
    return max(parallel, min(BATCH_TOKENS, threads))


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


def _set_model(parameters: xllamacpp.CommonParams, arguments: argparse.Namespace) -> None:
    if arguments.gpu_layers is not None:
        parameters.n_gpu_layers = arguments.gpu_layers
    if arguments.projector is not None:
        parameters.mmproj.path = str(arguments.projector)
    parameters.lora_adapters = [
        xllamacpp.CommonAdapterLoraInfo(adapter["path"], adapter["scale"]) for adapter in arguments.adapter
    ]


def _set(parameters: xllamacpp.CommonParams, name: str, value: Any) -> None:
    """Sets a parameter, such as `sampling.temp`; an enumeration to one of its members, `Type.MEMBER`."""
    *parts, attribute = name.split(".")
    holder = parameters
    for part in parts:
        holder = getattr(holder, part)
    if isinstance(value, list):
        value = [*value, *[0.0] * (len(getattr(holder, attribute)) - len(value))]
    elif isinstance(value, str) and isinstance(getattr(holder, attribute), enum.Enum):
        kind, member = value.split(".")
        value = getattr(getattr(xllamacpp, kind), member)
    setattr(holder, attribute, value)
    # Otherwise a file's own default would win.
    bit = f"COMMON_PARAMS_SAMPLING_CONFIG_{attribute.upper()}"
    bits = xllamacpp.common_params_sampling_config.__members__
    if parts == ["sampling"] and bit in bits:
        holder.user_sampling_config |= bits[bit].value


def _set_surface(parameters: xllamacpp.CommonParams) -> None:
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.endpoint_metrics = True  # how the supervisor sees whether the main loop still turns
    # What is no picture would be taken for a film, and given to a program that happens to be in PATH.
    parameters.video_ffmpeg_bin_dir = os.devnull
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
