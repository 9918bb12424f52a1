"""Flags of llama.cpp's server: what they set, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from centralized_ml_api.config.llama_cpp_flags import FLAG_NAMES, FLAGS, FlagFault, parse_flags


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], {}),
        (["--temp", "0.2", "--top-k", "7"], {"sampling.temp": 0.2, "sampling.top_k": 7}),
        (["--swa-full", "--no-jinja"], {"swa_full": True, "use_jinja": False}),
        (["-fa", "on"], {"flash_attn_type": "llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED"}),
        (["-ctk", "q8_0"], {"cache_type_k": "ggml_type.GGML_TYPE_Q8_0"}),
        (["--seed", "-1"], {"sampling.seed": -1}),
        (["--tensor-split", "3,1"], {"tensor_split": [3.0, 1.0]}),
        (
            ["--chat-template-kwargs", '{"enable_thinking": false, "who": "me"}'],
            {"default_template_kwargs": {"enable_thinking": "false", "who": "me"}},
        ),
        (["--keep", "1", "--keep", "2"], {"n_keep": 2}),
    ],
)
def test_flags_set_parameters(words: list[str], settings: dict[str, Any]) -> None:
    parsed = parse_flags(words)
    assert (parsed.settings, parsed.faults) == (settings, ())


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (
            ["--port", "9"],
            FlagFault(0, "--port", "no such flag: the gateway decides where the server listens"),
        ),
        (["--api-key", "x"], FlagFault(0, "--api-key", "no such flag: the gateway checks the keys of teams")),
        (["-c", "9"], FlagFault(0, "-c", 'no such flag: the key "context" of "local" says it')),
        (
            ["--temp=1"],
            FlagFault(0, "--temp=1", "two words: the flag, then its value", 'write "--temp", "1"'),
        ),
        (["--zz"], FlagFault(0, "--zz", "a flag of llama.cpp's server that can be set here")),
        (
            ["--swa-ful"],
            FlagFault(
                0, "--swa-ful", "a flag of llama.cpp's server that can be set here", 'write "--swa-full"'
            ),
        ),
        (["words"], FlagFault(0, "words", "a flag of llama.cpp's server that can be set here")),
        (["--keep", "1.5"], FlagFault(0, "--keep 1.5", "--keep and a whole number")),
        (["--keep", str(2**31)], FlagFault(0, f"--keep {2**31}", "--keep and a whole number")),
        (["--temp", "inf"], FlagFault(0, "--temp inf", "--temp and a number")),
        (["--temp"], FlagFault(0, "--temp, and nothing behind it", "--temp and a number")),
        (["-fa", "yes"], FlagFault(0, "-fa yes", "-fa and one of: on, off, auto")),
        (
            ["-ts", ",".join("1" * 129)],
            FlagFault(0, f"-ts {','.join('1' * 129)}", "-ts and numbers with commas, at most 128"),
        ),
        (
            ["--chat-template-kwargs", "[]"],
            FlagFault(0, "--chat-template-kwargs []", "--chat-template-kwargs and a JSON object of texts"),
        ),
    ],
)
def test_what_is_wrong_is_said(words: list[str], fault: FlagFault) -> None:
    assert parse_flags(words).faults == (fault,)


def test_all_faults_are_found_and_what_follows_an_unknown_flag_is_not_another_one() -> None:
    parsed = parse_flags(["--port", "9", "--temp", "x", "--top-k", "3"])
    assert [fault.index for fault in parsed.faults] == [0, 2]
    assert parsed.settings == {"sampling.top_k": 3}


def test_each_flag_and_each_parameter_is_there_once() -> None:
    assert len({*FLAG_NAMES}) == len(FLAG_NAMES)
    assert len({flag.parameter for flag in FLAGS}) == len(FLAGS)
