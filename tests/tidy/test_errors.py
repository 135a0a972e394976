"""Each error code that the source raises has its words, and no words are left over."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from shared.error_texts import ERROR_TEXTS

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "sync", "firmware_profiles", "edge", "central", "daftar")
CLASSES = {"DaftarError", "OperatorError", "DeviceError", "PeerError", "IntegrityError", "BugError", "NotPostable"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


@cache
def scan() -> tuple[dict[str, str], set[str], list[str]]:
    """Codes raised (with a place), all constant texts, and raises whose code cannot be read here."""
    raised: dict[str, str] = {}
    constants: set[str] = set()
    bare: list[str] = []
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
            if isinstance(node, ast.Call) and called(node) in CLASSES:
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    raised[first.value] = place
                elif not isinstance(first, ast.Name | ast.Attribute | ast.IfExp):
                    bare.append(place)
    return raised, constants, bare


def test_a_raised_code_has_words():
    raised, _, _ = scan()
    assert {code: place for code, place in raised.items() if code not in ERROR_TEXTS} == {}


def test_words_belong_to_a_code_that_is_raised():
    raised, constants, _ = scan()
    assert sorted(set(ERROR_TEXTS) - set(raised) - constants) == []


def test_a_code_is_a_constant_that_can_be_searched_for():
    _, _, bare = scan()
    assert not bare
