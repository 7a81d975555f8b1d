"""The house's rules that no linter knows, each a function from one file to its findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from our_files import Source

ROOMS = ("flows", "sources", "checks", "warehouse", "notices", "portal")
MIGRATIONS = "warehouse/migrations/versions/"
MODULE_LINES = 300
FUNCTION_LINES = 40


Rule = Callable[[Source], Iterator[str]]

ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"}
CLOCK = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "pandas.Timestamp.now",
    "pandas.Timestamp.today",
    "pandas.Timestamp.utcnow",
    "sqlalchemy.func.current_date",
    "sqlalchemy.func.current_timestamp",
    "sqlalchemy.func.now",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.strftime",
    "time.time",
    "time.time_ns",
}
SQL_CLOCK = re.compile(
    r"\bCURRENT_(DATE|TIME|TIMESTAMP)\b|\bnow\(\)|[(,]\s*'now'|\bclock_timestamp\(", re.IGNORECASE
)
CHANCE = {"os.urandom", "uuid.uuid1", "uuid.uuid4"}
COUNTRY_CODE = re.compile(r"[A-Z]{2}")
SENTENCE_BREAK = re.compile(r"[.!?]\s+[A-Z]")


def environment_is_read_once(source: Source) -> Iterator[str]:
    """Only flows/settings.py reads the environment (HOUSE: who may import whom, 4)."""
    if source.room in ROOMS and source.path != "flows/settings.py":
        yield from _mentions(source, ENVIRONMENT.__contains__, "reads the environment")


def time_is_asked_at_entrances(source: Source) -> Iterator[str]:
    """Only flows and portal ask the time; durations (monotonic, perf_counter) are free."""
    if source.room not in ROOMS or source.room in {"flows", "portal"}:
        return
    yield from _mentions(source, CLOCK.__contains__, "asks the time")
    documented = {id(text) for text in _docstrings(source.tree)}
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documented
            and SQL_CLOCK.search(node.value)
        ):
            yield f"{node.lineno}: asks the database for the time"


def chance_comes_in(source: Source) -> Iterator[str]:
    """Randomness and keys come in as arguments; flows and portal, the entrances, make them."""
    if source.room in ROOMS and source.room not in {"flows", "portal"}:
        yield from _mentions(
            source,
            lambda name: name in CHANCE or name.startswith(("random.", "secrets.")),
            "throws dice",
        )


def output_is_the_commands(source: Source) -> Iterator[str]:
    """Print belongs to the command, the demo and the benchmark."""
    if source.room not in ROOMS or source.path.startswith(("flows/cli", "flows/demo")):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print":
            yield f"{node.lineno}: prints"


def module_opens_with_one_sentence(source: Source) -> Iterator[str]:
    """Every module opens with one sentence; more may follow after an empty line."""
    if source.room not in {*ROOMS, "bench"}:
        return
    opening = (ast.get_docstring(source.tree) or "").split("\n\n")[0].strip()
    if not opening:
        yield "1: says nothing about itself"
    elif not opening.endswith(".") or SENTENCE_BREAK.search(opening):
        yield "1: does not open with one sentence"


def sizes_are_kept(source: Source) -> Iterator[str]:
    """300 lines a file and 40 a function, its documentation not counted, outside the tests.

    A migration is exempt: a list of statements that stays as it was run.
    """
    if source.room not in {*ROOMS, "bench"} or source.path.startswith(MIGRATIONS):
        return
    lines = source.text.count("\n")
    if lines > MODULE_LINES:
        yield f"{lines}: lines, more than {MODULE_LINES}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _length(node) - sum(map(_length, _docstrings(node)))
            if lines > FUNCTION_LINES:
                yield f"{node.lineno}: {node.name} has {lines} lines, more than {FUNCTION_LINES}"


def countries_are_data(source: Source) -> Iterator[str]:
    """No `if country == "DK"`: what differs by country is data with its citation."""
    if source.room not in ROOMS:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(map(_is_country, sides)) and any(map(_has_country_code, sides)):
                yield f"{node.lineno}: decides by country in code"
        elif isinstance(node, ast.Match) and _is_country(node.subject):
            yield f"{node.subject.lineno}: decides by country in code"


def sources_are_strangers(source: Source) -> Iterator[str]:
    """No source imports another; sources/X_*.py belong to source X, and kit is everyone's."""
    if source.room != "sources" or source.family is None:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        modules = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{name}" for name in modules]
            if node.level:
                yield f"{node.lineno}: imports by dots; name the module from its room"
        for module in modules:
            room, _, rest = module.partition(".")
            theirs = rest.split(".")[0]
            own = theirs == source.family or theirs.startswith(f"{source.family}_")
            if room == "sources" and theirs not in {"", "kit"} and not own:
                yield f"{node.lineno}: {source.path} imports {module}"


CODE_RULES: tuple[Rule, ...] = (
    environment_is_read_once,
    time_is_asked_at_entrances,
    chance_comes_in,
    output_is_the_commands,
    module_opens_with_one_sentence,
    sizes_are_kept,
    countries_are_data,
    sources_are_strangers,
)

# In pieces, so that this file holds to its own rule.
FOREIGN = {
    r"(?<![\w.-])/wo" r"rk/": "a path of one machine",
    r"(?<![\w.-])/ro" r"ot/": "a path of one machine",
    r"\.\./sha" r"red\b": "a folder that no clone has",
    r"\bpy" r"pi\.org\b": "a package index",
    r"\bpython" r"hosted\.org\b": "a package index",
    r"\bnpm" r"js\.(org|com)\b": "a package index",
    r"\bdeb\.deb" r"ian\.org\b": "a package index",
    r"--(extra-)?in" r"dex-url\b": "a package index",
    r"--find-" r"links\b": "a package index",
}


def nothing_of_one_machine(source: Source) -> Iterator[str]:
    """No file names a path of somebody's machine or a package index's address."""
    for number, line in enumerate(source.text.splitlines(), 1):
        for pattern, what in FOREIGN.items():
            if re.search(pattern, line):
                yield f"{number}: names {what}"


def _mentions(source: Source, is_meant: Callable[[str], bool], what: str) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name | ast.Attribute) and is_meant(source.full_name(node)):
            yield f"{node.lineno}: {what} ({source.full_name(node)})"


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _length(node: ast.stmt | ast.expr) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _is_country(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        return _is_country(node.slice) or _is_country(node.value)
    word = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "value", None)
    return isinstance(word, str) and "country" in word.lower()


def _has_country_code(node: ast.expr) -> bool:
    return any(
        isinstance(part, ast.Constant)
        and isinstance(part.value, str)
        and COUNTRY_CODE.fullmatch(part.value)
        for part in ast.walk(node)
    )
