"""Each setting of `local` reaches the parameters of llama.cpp's server."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import xllamacpp

from centralized_ml_api.config.llama_cpp_flags import FLAGS, parse_flags
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.servers.llama_cpp import LlamaCppServer
from centralized_ml_api.local.servers.llama_cpp_main import (
    build_parameters,
    count_batch_tokens,
    parse_arguments,
)
from centralized_ml_api.plan.engines import LlamaCppAdapter, LlamaCppServing

if TYPE_CHECKING:
    from centralized_ml_api.config.llama_cpp_flags import Flag

FILES = ("/model.gguf", "/mmproj.gguf", "/first.gguf", "/second.gguf")


def build(files: int = 1, **settings: Any) -> xllamacpp.CommonParams:
    """Returns the parameters of the server that an entry with these settings has."""
    serving = LlamaCppServing(parse_weights(FILES[0]), 512, "auto", **settings)
    paths = tuple(map(Path, FILES[:files]))
    launch = LlamaCppServer(serving, paths, "m", 64, {}, Path("/")).launch(9000)
    assert launch.needs == paths
    return build_parameters(parse_arguments(launch.argv[3:]))


def test_an_entry_without_settings_has_the_usual_ones() -> None:
    parameters = build()
    assert (parameters.n_parallel, parameters.n_ctx, parameters.n_predict) == (4, 4 * 512, 64)
    assert (parameters.mmproj.path, list(parameters.lora_adapters)) == ("", [])
    assert parameters.n_gpu_layers == xllamacpp.CommonParams().n_gpu_layers
    assert (parameters.model_alias, parameters.port, parameters.hostnames) == ({"m"}, 9000, ["127.0.0.1"])
    assert not parameters.endpoint_slots
    assert parameters.video_ffmpeg_bin_dir == os.devnull


def test_parallel_conversations_have_a_context_each() -> None:
    parameters = build(parallel=2)
    assert (parameters.n_parallel, parameters.n_ctx, parameters.kv_unified) == (2, 2 * 512, False)


@pytest.mark.parametrize("layers", [0, 20])
def test_layers_for_a_gpu_are_taken_as_they_are(layers: int) -> None:
    parameters = build(gpu_layers=layers)
    assert (parameters.n_gpu_layers, parameters.fit_params) == (layers, False)


def test_a_projector_and_adapters_are_files_with_the_model() -> None:
    adapters = tuple(LlamaCppAdapter(parse_weights(path), 0.5 * n) for n, path in enumerate(FILES[2:], 1))
    parameters = build(4, projector=parse_weights(FILES[1]), adapters=adapters)
    assert parameters.mmproj.path == FILES[1]
    assert [(adapter.path, adapter.scale) for adapter in parameters.lora_adapters] == [
        (FILES[2], 0.5),
        (FILES[3], 1.0),
    ]


def test_flags_come_last() -> None:
    parameters = build(gpu_layers=0)
    assert parameters.n_batch == count_batch_tokens(4, parameters.cpuparams.n_threads)
    parameters = build(flags=("--batch-size", "64", "--threads", "3", "--temp", "0"))
    assert (parameters.n_batch, parameters.cpuparams.n_threads, parameters.sampling.temp) == (64, 3, 0)
    temperature = xllamacpp.common_params_sampling_config.COMMON_PARAMS_SAMPLING_CONFIG_TEMP
    assert parameters.sampling.user_sampling_config == temperature.value


@pytest.mark.parametrize(
    ("parallel", "threads", "tokens"),
    [
        (1, 1, 16),  # nobody else waits for the batch
        (2, 1, 2),
        (4, 1, 4),
        (2, 3, 3),
        (6, 1, 6),  # one for each conversation
        (4, 8, 8),  # one for each thread
        (4, 40, 16),
        (20, 40, 20),
    ],
)
def test_a_prompt_is_read_in_batches_that_hold_up_no_answer(parallel: int, threads: int, tokens: int) -> None:
    assert count_batch_tokens(parallel, threads) == tokens


def examples(flag: Flag) -> list[tuple[str, ...]]:
    """Returns what may follow a flag."""
    if isinstance(flag.takes, bool):
        return [()]
    if not isinstance(flag.takes, str):
        return [(word,) for word in flag.takes]
    numbers = {"text": "chatml", "object": json.dumps({"a": "b"}), "numbers": "3,1", "float": "0.25"}
    return [(numbers.get(flag.takes, "1"),)]


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.names[0])
def test_the_installed_server_has_what_a_flag_sets(flag: Flag) -> None:
    for words in examples(flag):
        flags = (flag.names[0], *words)
        (set_to,) = parse_flags(flags).settings.values()
        value: Any = build(flags=flags)
        for part in flag.parameter.split("."):
            value = getattr(value, part)
        if isinstance(value, enum.Enum):
            assert f"{type(value).__name__}.{value.name}" == set_to
        elif isinstance(set_to, list):
            assert value[: len(set_to)] == set_to
        else:
            assert value == set_to
