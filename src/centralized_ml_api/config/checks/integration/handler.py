"""C208: the function's handler is not in its folder."""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.config.resolve import is_file, is_folder, resolve_folder
from centralized_ml_api.config.rule import Example, Rule
from centralized_ml_api.config.wording import nearest, quoted, write

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.context import Context, Table
    from centralized_ml_api.errors import Location, Problem

NamesIn = Callable[[Path], frozenset[str] | str | None]

_DEFAULT = "index.lambda_handler"
_HANDLER = re.compile(r"(?P<module>[\w./-]+)\.(?P<function>\w+)")
_DYNAMIC = re.compile(r"\bglobals\(\)|\bsetattr\(|\bexec\(|def __getattr__|import \*")


def _check(context: Context) -> Iterator[Problem]:
    names_in = functools.cache(_names_in)  # many functions may share a file
    for properties in context.functions:
        code = properties.text("code")
        folder = resolve_folder(code.value, context.folders) if code and code.value.strip() else None
        if folder and is_folder(folder) and _is_python(properties):
            yield from _check_handler(properties, folder, names_in)


def _is_python(properties: Table) -> bool:
    return str(properties.value.get("runtime", "python3")).startswith("python")


def _check_handler(properties: Table, folder: Path, names_in: NamesIn) -> Iterator[Problem]:
    handler = properties.text("handler")
    written = handler.value if handler else _DEFAULT
    location = handler.location if handler else properties.document.key_location((*properties.path, "code"))
    match = _HANDLER.fullmatch(written)
    if not match:
        if written.strip():
            yield RULE.problem(
                location,
                found=quoted(written),
                expected='a file and a function, such as "index.lambda_handler"',
            )
        return
    module = _module_file(folder, match["module"])
    if module is None:
        yield _missing_file(properties, location, written, folder / f"{match['module'].replace('.', '/')}.py")
    else:
        yield from _check_function(location, module, match, names_in)


def _module_file(folder: Path, module: str) -> Path | None:
    base = folder / module.replace(".", "/")
    candidates = (base.with_name(f"{base.name}.py"), base / "__init__.py")
    return next((file for file in candidates if is_file(file)), None)


def _missing_file(properties: Table, location: Location, written: str, file: Path) -> Problem:
    """An error, unless a layer may bring the file."""
    return RULE.problem(
        location,
        found=f"no {file.name} in {file.parent}",
        expected=f"the file of the handler {quoted(written)}: {file}",
        fix='add the file, or name yours: "handler": "<file>.<function>"',
        severity="warning" if properties.value.get("layers") else None,
    )


def _check_function(
    location: Location, module: Path, handler: re.Match[str], names_in: NamesIn
) -> Iterator[Problem]:
    names = names_in(module)
    function = handler["function"]
    if isinstance(names, str):
        yield RULE.problem(location, found=f"{module} cannot be read as Python: {names}", severity="warning")
    elif names is not None and function not in names:
        meant = nearest(function, names)
        yield RULE.problem(
            location,
            found=f"no {function} in {module}",
            expected=f"a function {function} in it",
            fix=write(f"{handler['module']}.{meant}" if meant else None)
            or f"define {function}(event, context) there",
        )


def _names_in(module: Path) -> frozenset[str] | str | None:
    """The names that a module binds, or why nobody knows, or None where only running it would tell."""
    try:
        text = module.read_bytes().decode()
        with warnings.catch_warnings(action="ignore"):
            names = frozenset(_names(ast.parse(text).body))
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return None if _DYNAMIC.search(text) else names


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that the statements of a module bind, in its branches too."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
            case _:
                yield from (
                    node.id
                    for node in ast.walk(statement)
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                )
                yield from _names(
                    [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)]
                )
                for inner in ast.iter_child_nodes(statement):
                    if isinstance(inner, (ast.ExceptHandler, ast.match_case)):
                        yield from _names(inner.body)


RULE = Rule(
    id="C208",
    title="missing handler",
    meaning="""\
Lambda calls a function by its `handler`: the file, without its suffix, and the function in it with a dot
between; `index.lambda_handler` when the key is left out. For Python runtimes the file must lie in the
folder, and the function must be defined or imported in it. Where that cannot be told for certain (the
file is of a newer Python, or a layer may bring it) this is only a warning.""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"handler": "index.main"',
        right='"handler": "index.lambda_handler"',
    ),
    check=_check,
)
