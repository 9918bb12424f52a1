# ruff: noqa: INP001  # a script's neighbour, not a package
"""Small faults: every way in which `mutate.py` changes a module, one at a time."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = Path(__file__).parent.parent / "src" / "centralized_ml_api"

WORDS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
OPPOSITES: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
"""Not always the negation: for numbers the neighbour, which only a test of the boundary tells apart."""

OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
}

Span = tuple[int, int, int, int]
"""First line, its column, last line, its column; lines count from 1, columns are bytes from 0."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file: `span` of its text becomes `text`; `what` says so where the two would not."""

    file: Path
    span: Span
    text: str
    what: str = ""

    def source(self) -> bytes:
        """Returns the changed module, in UTF-8."""
        start, end = self._offsets()
        whole = self.file.read_bytes()
        return whole[:start] + self.text.encode() + whole[end:]

    def original(self) -> str:
        """Returns the text that is replaced."""
        start, end = self._offsets()
        return self.file.read_bytes()[start:end].decode()

    def describe(self) -> str:
        """Returns such as `plan/cost.py:41: return total  [None]`."""
        line = self.file.read_text(encoding="utf-8").splitlines()[self.span[0] - 1].strip()
        what = self.what or f"{shorten(self.original())} -> {shorten(self.text)}"
        return f"{self.file.relative_to(SOURCE)}:{self.span[0]}: {line}  [{what}]"

    def _offsets(self) -> tuple[int, int]:
        lines = self.file.read_bytes().splitlines(keepends=True)
        first_line, first_column, last_line, last_column = self.span
        return (
            sum(map(len, lines[: first_line - 1])) + first_column,
            sum(map(len, lines[: last_line - 1])) + last_column,
        )


def shorten(code: str) -> str:
    """Returns code on one line, cut to some fifty characters."""
    return textwrap.shorten(code, 50, placeholder="…")


class Mutator(ast.NodeVisitor):
    """Collects every mutant of one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.text = file.read_text(encoding="utf-8")
        self.mutants: list[Mutant] = []
        self.visit(ast.parse(self.text))

    def _replace(self, node: ast.expr | ast.stmt, text: str, what: str = "") -> None:
        span = (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
        self.mutants.append(Mutant(self.file, span, text, what))

    def _segment(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or ""

    def _negate(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):  # those have mutants of their own
            self._replace(test, f"(not ({self._segment(test)}))")

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Leaves out decorators and annotations."""
        for default in (*node.args.defaults, *(default for default in node.args.kw_defaults if default)):
            self.visit(default)
        for statement in node.body:
            self.visit(statement)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Leaves out decorators and bases."""
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Leaves out annotations."""
        if node.value is not None:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leaves out texts."""

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """Leaves out what may be a type such as `tuple[int, ...]`."""
        self.visit(node.value)
        if isinstance(node.slice, ast.Constant | ast.Slice | ast.BinOp):
            self.visit(node.slice)

    def visit_If(self, node: ast.If) -> None:
        """Negates the condition; leaves out imports for the type checker."""
        if self._segment(node.test) == "TYPE_CHECKING":
            return
        self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        """Negates the condition, but not of endless loops."""
        if not isinstance(node.test, ast.Constant):
            self._negate(node.test)
            self.visit(node.test)
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Negates the condition."""
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Negates conditions."""
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """Turns the first comparison."""
        before, after = node.left, node.comparators[0]
        span = (before.end_lineno or 0, before.end_col_offset or 0, after.lineno, after.col_offset)
        operator = re.escape(WORDS[type(node.ops[0])]).replace(r"\ ", r"\s+")
        turned = WORDS[OPPOSITES[type(node.ops[0])]]
        self.mutants.append(Mutant(self.file, span, re.sub(operator, turned, self._between(span), count=1)))
        self.generic_visit(node)

    def _between(self, span: Span) -> str:
        return Mutant(self.file, span, "").original()

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """Swaps `and` and `or`."""
        word = " or " if isinstance(node.op, ast.And) else " and "
        self._replace(node, f"({word.join(f'({self._segment(value)})' for value in node.values)})")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Drops `not`."""
        if isinstance(node.op, ast.Not):
            self._replace(node, f"bool({self._segment(node.operand)})")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Swaps plus and minus, times and divided by; a type error kills the mutant at once."""
        operator = OPERATORS.get(type(node.op))
        if operator is not None:
            self._replace(node, f"({self._segment(node.left)}) {operator} ({self._segment(node.right)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Changes numbers by one and turns booleans."""
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value))
        elif isinstance(node.value, int | float):
            self._replace(node, repr(node.value + 1))

    def visit_Return(self, node: ast.Return) -> None:
        """Returns nothing."""
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            return
        if not isinstance(node.value, ast.Constant | ast.Compare):
            self._replace(node.value, "None")
        self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        """Drops calls made for what they do; leaves out docstrings."""
        if isinstance(node.value, ast.Call | ast.Await):
            self._replace(node, "pass")
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Leaves out the addition."""
        self._replace(node, "pass")
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """Drops the error."""
        self._replace(node, "pass")

    def visit_Break(self, node: ast.Break) -> None:
        """Goes on instead."""
        self._replace(node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        """Ends the loop instead."""
        self._replace(node, "break")

    def visit_Call(self, node: ast.Call) -> None:
        """Drops each keyword argument, since the default may do as well."""
        for keyword in node.keywords:
            if keyword.arg is not None:
                self._drop(node, keyword)
        self.generic_visit(node)

    def _drop(self, call: ast.Call, keyword: ast.keyword) -> None:
        arguments = [argument for argument in (*call.args, *call.keywords) if argument is not keyword]
        if any(isinstance(argument, ast.GeneratorExp) for argument in arguments):
            return
        inside = ", ".join(self._segment(argument) for argument in arguments)
        self._replace(call, f"{self._segment(call.func)}({inside})", f"without {keyword.arg}=")
