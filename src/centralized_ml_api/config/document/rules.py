"""C001 to C009: what stops a file from being read, and the limits of what is read."""

from __future__ import annotations

from centralized_ml_api.config.rule import Example, Rule

DEEPEST = 100
"""How deep arrays and objects may be nested; the format itself needs nine levels."""

LARGEST_BYTES = 1024 * 1024
"""Where reading stops: a thousand models fit, each with a function and a local server, over many lines."""

MOST_VALUES = 100_000
"""How many strings, numbers, arrays and objects are read: such a thousand models have a third of them."""

UNREADABLE = Rule(
    id="C001",
    title="the file cannot be read",
    meaning="""\
There is no file with this name; or it is a folder, a pipe or a device; or you are not allowed to read it.
Without a name, the commands read `config/models.json` in the current folder; `mlapi init` writes a file to
start from. The only pipes that are read are `/dev/stdin` and `/dev/fd/…`.""",
    example=Example(
        wrong="mlapi check config/modles.json", right="mlapi check config/models.json", suffix=""
    ),
)
ENCODING = Rule(
    id="C002",
    title="the file is not UTF-8 text",
    meaning="""\
Configs are UTF-8 text, with or without a byte order mark. Editors on Windows sometimes save "Unicode" as
UTF-16, or use an older encoding for one language. Save the file again as UTF-8.""",
    example=Example(wrong="a file saved as UTF-16", right="the same file saved as UTF-8", suffix=""),
)
EMPTY = Rule(
    id="C003",
    title="the file is empty",
    meaning="""\
The file contains nothing, or only spaces and comments. The smallest config is `{"models": []}`; `mlapi
init` writes one that serves a model.""",
    example=Example(wrong="// to do", right='{"models": []}'),
)
JSON_SYNTAX = Rule(
    id="C004",
    title="not valid JSON",
    meaning="""\
The text is not valid JSON at this point; often a comma, a quotation mark or a bracket is missing just
before it. Comments (`//` and `/* */`) and a comma after the last item are allowed; keys and strings need
double quotes. Reading stops here, so this is the only problem shown; others may follow once it is fixed. A
file whose name ends in `.yaml` or `.yml` is read as YAML instead.""",
    example=Example(wrong='{"models": [] "endpoints": []}', right='{"models": [], "endpoints": []}'),
)
YAML_SYNTAX = Rule(
    id="C005",
    title="not valid YAML",
    meaning="""\
The text is not valid YAML at this point or just before it. Often the indentation is off by a space, there
is a tab where spaces are required, or a string that contains `: `, `#` or `*` needs quotes. Reading stops
here, so this is the only problem shown; others may follow once it is fixed. A file holds one document.""",
    example=Example(wrong="models: [\nendpoints: []", right="models: []\nendpoints: []", suffix=".yaml"),
)
DUPLICATE_KEY = Rule(
    id="C006",
    title="duplicate key",
    meaning="""\
An object has the same key twice. Most programs would silently keep the last one. Which of the two you
meant cannot be known, so neither is used. Remove one; often the second was copied and should have been
renamed.""",
    example=Example(wrong='{"models": [], "models": []}', right='{"models": [], "endpoints": []}'),
)
NESTING = Rule(
    id="C007",
    title="nested too deeply",
    meaning=f"""\
Arrays and objects are nested more than {DEEPEST} levels deep. The format needs nine levels; a `sample` may
need a few more. A file like this was probably written by a faulty program.""",
    example=Example(wrong="[" * (DEEPEST + 1), right='{"models": []}'),
)
PLAIN_DATA = Rule(
    id="C008",
    title="not a plain value",
    meaning="""\
A config contains what JSON can express: strings, finite numbers, true and false, arrays, and objects whose
keys are strings. `NaN` and `Infinity` are refused, and so are numbers that are too large for a computer's
floating-point numbers or have thousands of digits, and half a character (`"\\ud800"` alone). In YAML,
anchors and aliases (`&a`, `*a`) and tags (`!!set`) are refused too.

YAML has traps of its own: some programs read an unquoted `yes`, `on`, `1:30` or `2026-12-01` as something
other than a string. Here, only `true`, `false`, `null` and numbers as JSON writes them are not strings.""",
    example=Example(
        wrong="models: &all []\nendpoints: *all",
        right="models: []\nendpoints: []",
        suffix=".yaml",
    ),
)
TOO_LARGE = Rule(
    id="C009",
    title="the file is too large",
    meaning=f"""\
The file is larger than {LARGEST_BYTES // 2**20} MiB, or contains more than {MOST_VALUES:,} values (strings,
numbers, arrays, objects). A thousand models fit, each with a function and a local server, so this is
probably not a config but, for example, a file of weights. Put large samples into files of their own.""",
    example=Example(wrong="mlapi check model.gguf", right="mlapi check config/models.json", suffix=""),
)

RULES = (
    UNREADABLE,
    ENCODING,
    EMPTY,
    JSON_SYNTAX,
    YAML_SYNTAX,
    DUPLICATE_KEY,
    NESTING,
    PLAIN_DATA,
    TOO_LARGE,
)
