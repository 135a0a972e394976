"""What the rules ask of the Python files, each parsed once. Trees are large and are not kept."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "sync", "firmware_profiles", "edge", "central", "daftar")
ERRORS = {"DaftarError", "OperatorError", "DeviceError", "PeerError", "IntegrityError", "BugError", "NotPostable"}


def files() -> list[str]:
    """Every file that is tracked or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


FILES = files()
PYTHON = [name for name in FILES if name.endswith(".py")]
SOURCES = [name for name in PYTHON if name.startswith(tuple(f"{one}/" for one in PACKAGES))]


@cache
def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


class Facts(msgspec.Struct):
    """Of one file. Of errors only what a source raises is looked for."""

    documented: bool
    """It is empty or says what it is for."""
    functions: list[tuple[str, int]] = []
    """Their names, and their lines without the docstring."""
    raised: dict[str, str] = {}
    """Codes of errors, with a place."""
    unread: list[str] = []
    """Places of errors whose code is no constant, nor a name for one."""
    constants: set[str] = set()
    """All texts."""


@cache
def facts(name: str) -> Facts:
    tree = ast.parse(read(name))
    found = Facts(documented=not tree.body or bool(ast.get_docstring(tree)))
    for node in ast.walk(tree) if name in SOURCES else statements(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = (node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node)
                found.functions.append((node.name, lines))
            case ast.Constant(value=str() as text):
                found.constants.add(text)
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)) if called in ERRORS:
                note_error(found, node, f"{name}:{node.lineno}")
    return found


def note_error(found: Facts, node: ast.Call, place: str) -> None:
    match node.args:
        case [ast.Constant(value=str() as code), *_]:
            found.raised[code] = place
        case [ast.Name() | ast.Attribute() | ast.IfExp(), *_]:
            pass
        case _:
            found.unread.append(place)


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Every statement, and no expression: most of a tree is those."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        yield node
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            under = getattr(node, field, ())
            left += under if isinstance(under, list) else ()


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0
