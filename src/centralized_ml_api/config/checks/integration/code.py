"""The code of a Lambda function: whether its folder is there, and the handler in it."""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from centralized_ml_api.config.checks.checked_rule import CheckedRule
from centralized_ml_api.config.resolve import candidate_paths, exists, is_file, is_folder, resolve_folder
from centralized_ml_api.config.rule import Example
from centralized_ml_api.config.wording import listed, nearest, quoted, write

if TYPE_CHECKING:
    from centralized_ml_api.config.checks.context import Context, ObjectNode
    from centralized_ml_api.errors import Location, Problem

NamesIn = Callable[[Path], frozenset[str] | str | None]

_DEFAULT_HANDLER = "index.lambda_handler"
_HANDLER = re.compile(r"(?P<module>[\w./-]+)\.(?P<function>\w+)")
_DYNAMIC = re.compile(r"\bglobals\(\)|\bsetattr\(|\bexec\(|def __getattr__|import \*")


def _check_folder(context: Context) -> Iterator[Problem]:
    for function in context.functions:
        code = function.string("code")
        if code is None or not code.value.strip():
            continue
        if is_folder(resolve_folder(code.value, context.folders)):
            continue
        candidates = candidate_paths(code.value, context.folders)
        is_there = any(exists(path) for path in candidates)
        yield MISSING_FOLDER.problem(
            code.location,
            found=f"{quoted(code.value)}, which {'is not a folder' if is_there else 'does not exist'}",
            expected=f"a folder: {listed(map(str, candidates))}",
            fix="name the folder that holds the file, not the file"
            if is_there
            else "create the folder, or correct the path",
        )


MISSING_FOLDER = CheckedRule(
    id="C207",
    title="missing code folder",
    meaning="""\
`code` names the folder of the function. A relative path starts at the project root (the nearest folder
above the config with a `cdk.json`, else the folder in which you run the command) or, where nothing is
found there, at the config's own folder. The problem names both paths.""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"code": "functions/exmaple_function"',
        right='"code": "functions/example_function"',
    ),
    check=_check_folder,
)


def _check_handlers(context: Context) -> Iterator[Problem]:
    names_in = functools.cache(_names_in)  # many functions may share a file
    for function in context.functions:
        code = function.string("code")
        folder = resolve_folder(code.value, context.folders) if code and code.value.strip() else None
        is_python = str(function.value.get("runtime", "python3")).startswith("python")
        if folder and is_folder(folder) and is_python:
            yield from _check_handler(function, folder, names_in)


def _check_handler(function: ObjectNode, folder: Path, names_in: NamesIn) -> Iterator[Problem]:
    handler = function.string("handler")
    written = handler.value if handler else _DEFAULT_HANDLER
    location = handler.location if handler else function.document.key_location((*function.path, "code"))
    match = _HANDLER.fullmatch(written)
    if not match:
        if written.strip():
            expected = 'a file and a function, such as "index.lambda_handler"'
            yield MISSING_HANDLER.problem(location, found=quoted(written), expected=expected)
        return
    module = _module_file(folder, match["module"])
    if module is None:
        file = folder / f"{match['module'].replace('.', '/')}.py"
        yield MISSING_HANDLER.problem(
            location,
            found=f"no {file.name} in {file.parent}",
            expected=f"the file of the handler {quoted(written)}: {file}",
            fix='add the file, or name yours: "handler": "<file>.<function>"',
            severity="warning" if function.value.get("layers") else None,  # a layer may bring the file
        )
    else:
        yield from _check_defined(location, module, match, names_in)


def _module_file(folder: Path, module: str) -> Path | None:
    base = folder / module.replace(".", "/")
    candidates = (base.with_name(f"{base.name}.py"), base / "__init__.py")
    return next((file for file in candidates if is_file(file)), None)


def _check_defined(
    location: Location, module: Path, handler: re.Match[str], names_in: NamesIn
) -> Iterator[Problem]:
    names = names_in(module)
    function = handler["function"]
    if isinstance(names, str):
        found = f"{module} cannot be read as Python: {names}"
        yield MISSING_HANDLER.problem(location, found=found, severity="warning")
    elif names is not None and function not in names:
        meant = nearest(function, names)
        yield MISSING_HANDLER.problem(
            location,
            found=f"no {function} in {module}",
            expected=f"a function {function} in that file",
            fix=write(f"{handler['module']}.{meant}" if meant else None)
            or f"define {function}(event, context) there",
        )


def _names_in(module: Path) -> frozenset[str] | str | None:
    """Returns the names that a module binds; why it cannot be read; or None where only running it tells."""
    try:
        text = module.read_bytes().decode()
        with warnings.catch_warnings(action="ignore"):
            names = frozenset(_bound_names(ast.parse(text).body))
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return str(error)
    return None if _DYNAMIC.search(text) else names


def _bound_names(body: list[ast.stmt]) -> Iterator[str]:
    """Yields the names that the statements of a module bind, those in its branches included."""
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
                yield from _bound_names(
                    [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)]
                )
                for inner in ast.iter_child_nodes(statement):
                    if isinstance(inner, (ast.ExceptHandler, ast.match_case)):
                        yield from _bound_names(inner.body)


MISSING_HANDLER = CheckedRule(
    id="C208",
    title="missing handler",
    meaning="""\
Lambda calls a function through its `handler`: the name of the file without its suffix, a dot, and the
name of the function in it. Without the key it is `index.lambda_handler`. For Python runtimes the file
must be in the folder, and it must define or import the function. Where this cannot be known for certain
(the file needs a newer Python, or a layer may contain it), it is only a warning.""",
    example=Example(
        at="$.models[0].integration.properties",
        wrong='"handler": "index.main"',
        right='"handler": "index.lambda_handler"',
    ),
    check=_check_handlers,
)

RULES = (MISSING_FOLDER, MISSING_HANDLER)
