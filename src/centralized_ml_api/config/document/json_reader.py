"""JSON with comments and trailing commas -> a document.

Written here because no library gives the position of every value, keeps duplicate keys and accepts comments
at the speed that a file of hundreds of models needs. Strings are left to the scanner of the standard library.

Source: RFC 8259 (the grammar); comments and trailing commas are the only additions.
"""

from __future__ import annotations

import re
from json import JSONDecodeError
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in CPython, missing in typeshed
from typing import TYPE_CHECKING, Any, NoReturn

from centralized_ml_api.config.document import rules
from centralized_ml_api.config.document.reader import Reader
from centralized_ml_api.config.wording import quoted

if TYPE_CHECKING:
    from centralized_ml_api.config.document.document import Document, NodePath, SourceText

_SKIP = re.compile(r"(?:[ \t\n\r]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?(?![\w.])")
_TOKEN = re.compile(r"\"[^\"\n]*\"?|'[^'\n]*'?|[\w.+-]+|.", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}
_FOREIGN_WORDS = {
    "True": "true",
    "False": "false",
    "None": "null",
    "undefined": "null",
    "yes": "true",
    "no": "false",
}
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity", "+Infinity", "nan", "inf", "-inf"})
_VALUE = 'a value: a string in double quotes, a number, true, false, null, "[" or "{"'


def read_json(source: SourceText) -> Document:
    """Reads a whole text. Pure.

    Raises:
        ConfigError: It is not JSON; exactly one problem, where the text first breaks the grammar.
    """
    return _JsonReader(source).read()


class _JsonReader(Reader):
    """One pass over a text. Most methods take an offset and return a value and the offset behind it."""

    def __init__(self, source: SourceText) -> None:
        super().__init__(source)
        self.text = source.text

    def read(self) -> Document:
        start = self._skip(0)
        if start == len(self.text):
            self.refuse_empty()
        value, end = self._value(start, ())
        end = self._skip(end)
        if end < len(self.text):
            self._refuse_token(end, "nothing after the end of the value", "remove it, or a bracket before it")
        return self.document(value)

    def _skip(self, at: int) -> int:
        """Returns the offset of the next character that is neither white space nor part of a comment."""
        match = _SKIP.match(self.text, at)
        at = match.end() if match else at
        if self.text.startswith("/*", at):
            self.refuse(
                rules.JSON_SYNTAX, at, at + 2, found="a comment without end", expected='"*/" after it'
            )
        return at

    def _value(self, at: int, path: NodePath) -> tuple[Any, int]:
        """Reads any value and notes its extent under `path`."""
        value: Any
        match self.text[at : at + 1]:
            case '"':
                value, end = self._string(at)
            case "{":
                value, end = self._object(at, path)
            case "[":
                value, end = self._array(at, path)
            case _:
                value, end = self._bare(at)
        self.note_value(path, (at, end))
        return value, end

    def _object(self, at: int, path: NodePath) -> tuple[dict[str, Any], int]:
        self.refuse_deeper(path, at)
        found: dict[str, Any] = {}
        opening, at = at, self._skip(at + 1)
        while not self.text.startswith("}", at):
            key, end = self._key(at, opening)
            here = (*path, key)
            if key in found:
                self.note_duplicate(here, (at, end))
            self.keys[here] = (at, end)
            found[key], at = self._value(self._skip(self._colon(end, key)), here)
            at = self._comma(at, opening, "}")
        return found, at + 1

    def _array(self, at: int, path: NodePath) -> tuple[list[Any], int]:
        self.refuse_deeper(path, at)
        found: list[Any] = []
        opening, at = at, self._skip(at + 1)
        while not self.text.startswith("]", at):
            self._expect_more(at, opening, "]")
            value, at = self._value(at, (*path, len(found)))
            found.append(value)
            at = self._comma(at, opening, "]")
        return found, at + 1

    def _key(self, at: int, opening: int) -> tuple[str, int]:
        if not self.text.startswith('"', at):
            self._expect_more(at, opening, "}")
            token = self._token(at)
            fix = f"write {quoted(token.strip(chr(39)))}" if re.match(r"['\w]", token) else ""
            self._refuse_token(at, 'a key in double quotes, or "}"', fix)
        return self._string(at)

    def _colon(self, at: int, key: str) -> int:
        at = self._skip(at)
        if not self.text.startswith(":", at):
            self._refuse_token(at, f'":" and a value after the key {quoted(key)}', "")
        return at + 1

    def _comma(self, at: int, opening: int, closing: str) -> int:
        """Returns the offset behind the comma, or that of the closing bracket."""
        at = self._skip(at)
        if self.text.startswith(",", at):
            return self._skip(at + 1)
        if not self.text.startswith(closing, at):
            self._expect_more(at, opening, closing)
            self._refuse_token(
                at, f'"," or "{closing}"', "" if self.text[at] in "]}:" else 'put a "," before it'
            )
        return at

    def _string(self, at: int) -> tuple[str, int]:
        try:
            value, end = scanstring(self.text, at + 1, True)  # noqa: FBT003  # positional in C
        except JSONDecodeError as error:
            self._refuse_string(at, error)
        if not value.isascii():
            self._refuse_half_characters(value, at, end)
        return value, end

    def _bare(self, at: int) -> tuple[Any, int]:
        """Reads a number, `true`, `false` or `null`."""
        number = _NUMBER.match(self.text, at)
        if number:
            return self._number(number), number.end()
        token = self._token(at)
        if token in _WORDS:
            return _WORDS[token], at + len(token)
        if token in _NOT_FINITE:
            self.refuse(rules.PLAIN_DATA, at, at + len(token), found=token, expected="a finite number")
        return self._refuse_token(at, _VALUE, _fix_of_word(token))

    def _number(self, match: re.Match[str]) -> int | float:
        written, extent = match[0], match.span()
        try:
            value = float(written) if match[1] or match[2] else int(written)
        except ValueError:  # Python refuses to convert thousands of digits
            value = float("inf")
        if value in (float("inf"), float("-inf")):
            self.refuse(rules.PLAIN_DATA, *extent, found=_shortened(written), expected="a number below 1e308")
        return value

    def _token(self, at: int) -> str:
        match = _TOKEN.match(self.text, at)
        return match[0] if match else ""

    def _expect_more(self, at: int, opening: int, closing: str) -> None:
        """Refuses the end of the file before the bracket at `opening` is closed."""
        if at >= len(self.text):
            line = self.source.line_of(opening)
            expected = f'"{closing}" for the "{self.text[opening]}" on line {line}'
            self.refuse(rules.JSON_SYNTAX, at, found="the end of the file", expected=expected)

    def _refuse_half_characters(self, value: str, start: int, end: int) -> None:
        try:
            value.encode()
        except UnicodeEncodeError:
            self.refuse(
                rules.PLAIN_DATA,
                start,
                end,
                found="half a character (a lone surrogate)",
                expected="whole characters",
            )

    def _refuse_string(self, at: int, error: JSONDecodeError) -> NoReturn:
        if error.msg.startswith("Unterminated"):
            self.refuse(rules.JSON_SYNTAX, at, found="a string without end", expected='a closing "')
        if error.msg.startswith("Invalid control"):
            character = self.text[error.pos]
            if character in "\r\n":
                line = self.text[at : error.pos]
                self.refuse(
                    rules.JSON_SYNTAX,
                    at,
                    at + len(line),
                    found="a string that continues past the end of its line",
                    expected='a closing " on the same line',
                    fix="write a line break in a string as \\n",
                )
            self.refuse(
                rules.JSON_SYNTAX,
                error.pos,
                found=f"the control character U+{ord(character):04X} in a string",
                expected="an escape sequence",
                fix=f"write {quoted(character)[1:-1]}",
            )
        at = min(error.pos, len(self.text) - 1)
        self.refuse(
            rules.JSON_SYNTAX,
            at,
            found=quoted(self.text[at : at + 2])[1:-1],
            expected=_ESCAPES,
            fix="write a backslash itself as \\\\",
        )

    def _refuse_token(self, at: int, expected: str, fix: str) -> NoReturn:
        token = self._token(at)
        found = _shortened(token) if token else "the end of the file"
        self.refuse(rules.JSON_SYNTAX, at, at + len(token), found=found, expected=expected, fix=fix)


_ESCAPES = 'one of the escape sequences \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX'


def _fix_of_word(token: str) -> str:
    if token in _FOREIGN_WORDS:
        return f"write {_FOREIGN_WORDS[token]}"
    if token.startswith("'"):
        return f"write {quoted(token.strip(chr(39)))}"
    if token[:1].isalpha():
        return f"write {quoted(token)} if it is a string"
    return ""


def _shortened(token: str, longest: int = 40) -> str:
    return token if len(token) <= longest else f"{token[: longest - 1]}…"
