"""Sizes, names and marks of the source. What is over a limit today is listed and may only shrink."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "sync", "firmware_profiles", "edge", "central", "daftar")
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "lib", "tools"}


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
SOURCES = [name for name in FILES if name.endswith(".py") and name.startswith(tuple(f"{one}/" for one in PACKAGES))]
PYTHON = [name for name in FILES if name.endswith(".py")]


@cache
def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def parsed(name: str) -> ast.Module:
    return ast.parse(read(name))


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0


def long_functions(name: str) -> dict[str, int]:
    """Return the functions of a file that are too long, with their lines."""
    long = {}
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node)
            if lines > FUNCTION_LINES_MAX:
                long[f"{name}: {node.name}"] = lines
    return long


def test_a_module_is_short_enough_to_read():
    lines = {name: read(name).count("\n") for name in SOURCES}
    assert {name: count for name, count in lines.items() if count > MODULE_LINES_MAX} == {}


def test_functions_are_short_enough_to_hold_in_mind():
    assert {function: lines for name in PYTHON for function, lines in long_functions(name).items()} == {}


def test_a_module_s_name_says_what_is_in_it():
    assert not [name for name in PYTHON if BANNED_NAMES & set(Path(name).with_suffix("").parts)]


def test_a_module_says_what_it_is_for():
    assert [name for name in SOURCES if parsed(name).body and not ast.get_docstring(parsed(name))] == []


def test_nothing_is_left_to_be_done():
    marks = re.compile(r"\b(?:TO" + "DO|FIX" + "ME|XX" + r"X|HAC" + r"K)\b")
    texts = [name for name in FILES if name.endswith((".py", ".md", ".toml", ".html", ".css", ".js", ".yml"))]
    left = [name for name in texts if marks.search(read(name))]
    assert not left


def test_tests_are_no_package_and_their_modules_are_named_for_what_they_test():
    assert not [name for name in FILES if name.startswith("tests/") and name.endswith("__init__.py")]


def test_only_the_clock_and_entropy_modules_may_waive_the_bans_on_time_and_chance():
    waived = [name for name in SOURCES if re.search(r"noqa:[^#\n]*TID251", read(name))]
    assert not waived


def test_no_source_module_waits_by_sleeping():
    sleeps = re.compile(r"\btime\.sleep\(|from time import sleep")
    assert not [name for name in PYTHON if name != "tests/tidy/test_layout.py" and sleeps.search(read(name))]
