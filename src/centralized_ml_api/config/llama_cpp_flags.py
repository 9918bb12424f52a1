"""The flags of llama.cpp's server that `flags` of an entry may hold, and what they set. Pure.

The pinned server, `xllamacpp`, takes parameters instead of a command line. This table says which parameter
each flag sets; a test compares it with the server's own parameters.

Source: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md (usage)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from centralized_ml_api.config.wording import nearest, quoted
from centralized_ml_api.record import record

Value = bool | int | float | str | list[float] | dict[str, str]
"""What a parameter is set to; of an enumeration, `Type.MEMBER`."""


@record
class Flag:
    """A flag: the parameter that it sets, and what may follow it.

    Attributes:
        names: As llama.cpp's documentation spells it.
        parameter: With dots, such as `sampling.temp`.
        takes: What follows: `int`, `float`, `text`, `object` (JSON), `numbers` (with commas); by word, what
            each sets; or a value, when nothing follows.
    """

    names: tuple[str, ...]
    parameter: str
    takes: str | Mapping[str, str] | bool


_LEAVE_OUT = "change it, or leave it out"


@record
class FlagFault:
    """What is wrong with the word at `index`: what it is, what is expected, and what to do."""

    index: int
    found: str
    expected: str
    fix: str = _LEAVE_OUT


@record
class ParsedFlags:
    """What flags set, by the name of the parameter, and what is wrong with them."""

    settings: Mapping[str, Value] = field(default_factory=dict)
    faults: tuple[FlagFault, ...] = ()


def _enumeration(kind: str, prefix: str, words: Mapping[str, str]) -> Mapping[str, str]:
    return {word: f"{kind}.{prefix}{member}" for word, member in words.items()}


_CACHE_TYPES = _enumeration(
    "ggml_type",
    "GGML_TYPE_",
    {name: name.upper() for name in ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")},
)
_FLASH = {"on": "ENABLED", "off": "DISABLED", "auto": "AUTO"}
_ROPE = {name: name.upper() for name in ("none", "linear", "yarn", "longrope")}
_SPLIT = {name: name.upper() for name in ("none", "layer", "row", "tensor")}
_NUMA = {name: name.upper() for name in ("distribute", "isolate", "numactl")}
_REASONING = {"none": "NONE", "auto": "AUTO", "deepseek": "DEEPSEEK", "deepseek-legacy": "DEEPSEEK_LEGACY"}

FLAGS = (
    Flag(("--threads", "-t"), "cpuparams.n_threads", "int"),
    Flag(("--threads-batch", "-tb"), "cpuparams_batch.n_threads", "int"),
    Flag(("--batch-size", "-b"), "n_batch", "int"),
    Flag(("--ubatch-size", "-ub"), "n_ubatch", "int"),
    Flag(("--keep",), "n_keep", "int"),
    Flag(
        ("--flash-attn", "-fa"),
        "flash_attn_type",
        _enumeration("llama_flash_attn_type", "LLAMA_FLASH_ATTN_TYPE_", _FLASH),
    ),
    Flag(("--cache-type-k", "-ctk"), "cache_type_k", _CACHE_TYPES),
    Flag(("--cache-type-v", "-ctv"), "cache_type_v", _CACHE_TYPES),
    Flag(("--cache-reuse",), "n_cache_reuse", "int"),
    Flag(("--ctx-checkpoints", "-ctxcp"), "n_ctx_checkpoints", "int"),
    Flag(("--slot-prompt-similarity", "-sps"), "slot_prompt_similarity", "float"),
    Flag(("--swa-full",), "swa_full", takes=True),
    Flag(("--no-kv-offload", "-nkvo"), "no_kv_offload", takes=True),
    Flag(("--no-op-offload",), "no_op_offload", takes=True),
    Flag(("--no-repack", "-nr"), "no_extra_bufts", takes=True),
    Flag(("--no-host",), "no_host", takes=True),
    Flag(("--check-tensors",), "check_tensors", takes=True),
    Flag(("--main-gpu", "-mg"), "main_gpu", "int"),
    Flag(
        ("--split-mode", "-sm"), "split_mode", _enumeration("llama_split_mode", "LLAMA_SPLIT_MODE_", _SPLIT)
    ),
    Flag(("--tensor-split", "-ts"), "tensor_split", "numbers"),
    Flag(("--numa",), "numa", _enumeration("ggml_numa_strategy", "GGML_NUMA_STRATEGY_", _NUMA)),
    Flag(
        ("--rope-scaling",),
        "rope_scaling_type",
        _enumeration("llama_rope_scaling_type", "LLAMA_ROPE_SCALING_TYPE_", _ROPE),
    ),
    Flag(("--rope-freq-base",), "rope_freq_base", "float"),
    Flag(("--rope-freq-scale",), "rope_freq_scale", "float"),
    Flag(("--yarn-orig-ctx",), "yarn_orig_ctx", "int"),
    Flag(("--yarn-ext-factor",), "yarn_ext_factor", "float"),
    Flag(("--yarn-attn-factor",), "yarn_attn_factor", "float"),
    Flag(("--yarn-beta-slow",), "yarn_beta_slow", "float"),
    Flag(("--yarn-beta-fast",), "yarn_beta_fast", "float"),
    Flag(("--chat-template",), "chat_template", "text"),
    Flag(("--chat-template-kwargs",), "default_template_kwargs", "object"),
    Flag(("--no-jinja",), "use_jinja", takes=False),
    Flag(("--no-prefill-assistant",), "prefill_assistant", takes=False),
    Flag(
        ("--reasoning-format",),
        "reasoning_format",
        _enumeration("common_reasoning_format", "COMMON_REASONING_FORMAT_", _REASONING),
    ),
    Flag(("--no-mmproj-offload",), "mmproj_use_gpu", takes=False),
    Flag(("--image-min-tokens",), "image_min_tokens", "int"),
    Flag(("--image-max-tokens",), "image_max_tokens", "int"),
    Flag(("--seed", "-s"), "sampling.seed", "int"),
    Flag(("--temp", "--temperature"), "sampling.temp", "float"),
    Flag(("--top-k",), "sampling.top_k", "int"),
    Flag(("--top-p",), "sampling.top_p", "float"),
    Flag(("--min-p",), "sampling.min_p", "float"),
    Flag(("--typical", "--typical-p"), "sampling.typ_p", "float"),
    Flag(("--xtc-probability",), "sampling.xtc_probability", "float"),
    Flag(("--xtc-threshold",), "sampling.xtc_threshold", "float"),
    Flag(("--repeat-last-n",), "sampling.penalty_last_n", "int"),
    Flag(("--repeat-penalty",), "sampling.penalty_repeat", "float"),
    Flag(("--presence-penalty",), "sampling.penalty_present", "float"),
    Flag(("--frequency-penalty",), "sampling.penalty_freq", "float"),
    Flag(("--dry-multiplier",), "sampling.dry_multiplier", "float"),
    Flag(("--dry-base",), "sampling.dry_base", "float"),
    Flag(("--dry-allowed-length",), "sampling.dry_allowed_length", "int"),
    Flag(("--dry-penalty-last-n",), "sampling.dry_penalty_last_n", "int"),
    Flag(("--dynatemp-range",), "sampling.dynatemp_range", "float"),
    Flag(("--dynatemp-exp",), "sampling.dynatemp_exponent", "float"),
    Flag(("--mirostat",), "sampling.mirostat", "int"),
    Flag(("--mirostat-lr",), "sampling.mirostat_eta", "float"),
    Flag(("--mirostat-ent",), "sampling.mirostat_tau", "float"),
)

FLAG_NAMES = tuple(name for flag in FLAGS for name in flag.names)

_BY_NAME = {name: flag for flag in FLAGS for name in flag.names}
_OTHER_KEY = {
    "weights": ("--model", "-m", "--model-url", "-mu", "--hf-repo", "-hf", "-hfr", "--hf-file", "-hff"),
    "context": ("--ctx-size", "-c"),
    "parallel": ("--parallel", "-np"),
    "gpu_layers": ("--gpu-layers", "--n-gpu-layers", "-ngl"),
    "projector": ("--mmproj", "-mm", "--mmproj-url", "-mmu", "--mmproj-auto", "--no-mmproj"),
    "adapters": ("--lora", "--lora-scaled", "--lora-init-without-apply"),
    "share_prompts": ("--cache-prompt", "--no-cache-prompt"),
}
_REASONS = {
    "the entry's own `max_output_tokens` says it": ("--predict", "--n-predict", "-n"),
    "the gateway decides where the server listens": ("--host", "--port", "--reuse-port", "--api-prefix"),
    "answers carry the name of the entry": ("--alias", "-a", "--tags"),
    "the gateway checks the keys of teams": ("--api-key", "--api-key-file"),
    "the gateway speaks TLS": ("--ssl-key-file", "--ssl-cert-file"),
    "it would show or change what other callers ask, or the model itself": (
        *("--slots", "--no-slots", "--props", "--slot-save-path", "--log-prompts-dir"),
    ),
    "the supervisor asks there whether the server still works": ("--metrics", "--no-metrics"),
    "callers would reach files and programs of this machine": (
        *("--path", "--media-path", "--tools", "--mcp-servers-config", "--webui-mcp-proxy", "--ui-mcp-proxy"),
    ),
    "an entry serves one model": ("--models-dir", "--models-preset", "--models-max"),
    "only models reach callers": ("--ui", "--no-ui", "--webui", "--no-webui"),
    "such a server has other paths: serve it with the engine `command`": (
        *("--embedding", "--embeddings", "--rerank", "--reranking", "--pooling"),
    ),
    "each conversation has memory of its own, so that none takes that of others": (
        *("--kv-unified", "-kvu", "--no-kv-unified", "--cache-ram", "-cram", "--context-shift"),
    ),
    "the supervisor decides when the server runs": (
        "--sleep-idle-seconds",
        "--timeout",
        "-to",
        "--threads-http",
    ),
}
_REFUSED = {
    **{name: f'the key "{key}" of "local" says it' for key, names in _OTHER_KEY.items() for name in names},
    **{name: reason for reason, names in _REASONS.items() for name in names},
}


def parse_flags(words: Sequence[str]) -> ParsedFlags:
    """Parses flags as they stand in a config: each is a word, as is what follows it."""
    settings: dict[str, Value] = {}
    faults = []
    index = 0
    while index < len(words):
        name, start = words[index], index
        index += 1
        flag = _BY_NAME.get(name)
        if flag is None:
            faults.append(_word_unknown(start, name))
            while index < len(words) and not words[index].startswith("-"):
                index += 1
            continue
        if isinstance(flag.takes, bool):
            settings[flag.parameter] = flag.takes
            continue
        value = _read(words[index], flag.takes) if index < len(words) else None
        if value is None:
            found = f"{name} {words[index]}" if index < len(words) else f"{name}, and nothing behind it"
            faults.append(FlagFault(start, found, f"{name} {_word_values(flag.takes)}"))
        else:
            settings[flag.parameter] = value
        index += 1
    return ParsedFlags(settings, tuple(faults))


def _word_unknown(index: int, name: str) -> FlagFault:
    reason = _REFUSED.get(name)
    if reason:
        return FlagFault(index, name, f"no such flag: {reason}")
    flag, equals, value = name.partition("=")
    if equals and flag in _BY_NAME:
        return FlagFault(
            index, name, "two words: the flag, then its value", f"write {quoted(flag)}, {quoted(value)}"
        )
    meant = nearest(name, FLAG_NAMES)
    expected = "a flag of llama.cpp's server that can be set here"
    return FlagFault(index, name, expected, f"write {quoted(meant)}" if meant else _LEAVE_OUT)


def _word_values(takes: str | Mapping[str, str]) -> str:
    if not isinstance(takes, str):
        return f"and one of: {', '.join(takes)}"
    words = {
        "int": "and a whole number",
        "float": "and a number",
        "text": "and a text",
        "object": "and a JSON object of texts",
        "numbers": "and numbers with commas, at most 128",
    }
    return words[takes]


def _read(word: str, takes: str | Mapping[str, str]) -> Value | None:
    """Returns what a word sets; None if it sets nothing."""
    if not isinstance(takes, str):
        return takes.get(word)
    try:
        return _READERS[takes](word)
    except (ValueError, TypeError, OverflowError):
        return None


def _read_int(word: str) -> int:
    number = int(word)
    if not -(2**31) <= number < 2**31:
        raise ValueError(word)
    return number


def _read_float(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(word)
    return number


def _read_numbers(word: str) -> list[float]:
    numbers = [_read_float(part) for part in word.split(",")]
    if len(numbers) > _MOST_DEVICES:
        raise ValueError(word)
    return numbers


def _read_object(word: str) -> dict[str, str]:
    value = json.loads(word)
    if not isinstance(value, dict):
        raise TypeError(word)
    return {key: member if isinstance(member, str) else json.dumps(member) for key, member in value.items()}


_MOST_DEVICES = 128
_READERS: dict[str, Callable[[str], Value]] = {
    "int": _read_int,
    "float": _read_float,
    "text": str,
    "object": _read_object,
    "numbers": _read_numbers,
}
