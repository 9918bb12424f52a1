"""JSON values that are odd, and texts that are nearly JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

NUMBERS = (0, 1, -1, 2, 0.5, -0.5, 1e30, -1e30, 1e-30, 2**31 - 1, 2**31, 2**63, -(2**63), 10**30, 999_999.0)
WILD_NUMBERS = (*NUMBERS, 2**63 - 1, 2**64, 10**4000, float("nan"), float("inf"), float("-inf"), -0.0, 5e-324)
TEXTS = ("", "a", " ", "\0", "\n", "é中😀", "\ud800", "%llguidance", "<|im_end|>", "{{ x }}", "a" * 5000)
WILD_TEXTS = (
    *TEXTS,
    *(
        "1" * 37,
        "A B C D " * 200,
        "A " * 2000,
        "%" * 40,
        "\udc00\ud800",
        "\u202e\u0000\ufeff",
        "../../etc/passwd",
    ),
    *("http://127.0.0.1:1/", "' OR 1=1 --", "${jndi:ldap://a}", "1e999", "NaN", "word " * 400, "é" * 1500),
)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": {}}, [None], [1, "a", None])
_DEEPER, _LEFT_OUT = 0.9, 0.1
_DEPTHS = (10, 99, 1_000, 20_000)


def build_value(chance: Random, depth: int = 2) -> Any:
    """Builds any JSON value, with lists and objects up to this depth."""
    kind = chance.randrange(5 if depth else 3)
    if kind == 3:  # of the five
        return [build_value(chance, depth - 1) for _ in range(chance.choice([1, 2, 3, 50]))]
    if kind == 4:  # of the five
        return {chance.choice(TEXTS): build_value(chance, depth - 1) for _ in range(chance.randint(1, 3))}
    return chance.choice([WILD_NUMBERS, WILD_TEXTS, OTHERS][kind])


def change(chance: Random, value: Any) -> Any:
    """Returns a copy of a JSON value with one odd value in any depth, without one, or with one twice."""
    if isinstance(value, dict) and value and chance.random() < _DEEPER:
        name = chance.choice(list(value))
        if chance.random() < _LEFT_OUT:
            return {key: kept for key, kept in value.items() if key != name}
        return {**value, name: change(chance, value[name])}
    if isinstance(value, list) and value and chance.random() < _DEEPER:
        place = chance.randrange(len(value))
        instead = chance.choice([[], [value[place]] * 2, [change(chance, value[place])]])
        return [*value[:place], *instead, *value[place + 1 :]]
    return build_value(chance)


def build_json(chance: Random, sample: Mapping[str, Any]) -> bytes:
    """Builds a body from an object that would be accepted: with odd fields, or a text that is no JSON."""
    value = {**sample}
    for _ in range(chance.choice([0, 1, 1, 2])):
        value[chance.choice([*sample, *sample, "", "extra", "input", "data"])] = build_value(chance)
    return write_json(chance, chance.choice([value] * 6 + [build_value(chance)]))


def write_json(chance: Random, value: Any) -> bytes:
    """Writes a value as JSON, or as a text that is none."""
    return chance.choice([write_plain] * 8 + _DAMAGES)(chance, value)


def write_plain(chance: Random, value: Any) -> bytes:
    """Writes a value as JSON."""
    text = json.dumps(value, ensure_ascii=chance.random() < 0.7)  # mostly
    return text.encode(errors="surrogatepass")


def _deep(chance: Random, value: Any) -> bytes:
    opening, closing = chance.choice([(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
    levels = chance.choice(_DEPTHS)
    return opening * levels + write_plain(chance, value) + closing * chance.choice([levels, 0])


def _doubled(chance: Random, value: Any) -> bytes:
    if not isinstance(value, dict) or not value:
        return b'{"a": 1, "a": {"a": 2}}'
    name = json.dumps(chance.choice(list(value)))
    return (
        write_plain(chance, value)[:-1]
        + b", "
        + name.encode()
        + b": "
        + write_plain(chance, build_value(chance))
        + b"}"
    )


def _cut(chance: Random, value: Any) -> bytes:
    whole = write_plain(chance, value)
    return whole[: chance.randint(0, len(whole))]


def _mangled(chance: Random, value: Any) -> bytes:
    return mangle(chance, write_plain(chance, value))


def _encoded(chance: Random, value: Any) -> bytes:
    text = json.dumps(value)
    return text.encode(chance.choice(["utf-16", "utf-32", "utf-8-sig", "utf-16-be"]))


def _number(chance: Random, _value: Any) -> bytes:
    number = chance.choice(
        ["1e999", "-1e999", "0" * 20, "1" * 5_000, "0x10", "1_000", "-", ".5", "1." + "3" * 5_000]
    )
    return f'{{"a": {number}}}'.encode()


def _wide(chance: Random, value: Any) -> bytes:
    count = chance.choice([1_000, 50_000])
    return b"[" + b",".join([write_plain(chance, value)[:40] if count < 2_000 else b"0"] * count) + b"]"


_DAMAGES: list[Callable[[Random, Any], bytes]] = [_deep, _doubled, _cut, _mangled, _encoded, _number, _wide]


def mangle(chance: Random, body: bytes) -> bytes:
    """Returns the body with some bytes replaced, inserted or removed."""
    mangled = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        place = chance.randint(0, len(mangled))
        mangled[place : place + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 2))
    return bytes(mangled)
