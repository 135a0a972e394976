"""Sizes, names and marks of the source. What is over a limit today is listed and may only shrink."""

import re
from pathlib import Path

from tests.tidy.syntax import FILES, PYTHON, SOURCES, facts, read

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc", "lib", "tools"}


def test_a_module_is_short_enough_to_read():
    lines = {name: read(name).count("\n") for name in SOURCES}
    assert {name: count for name, count in lines.items() if count > MODULE_LINES_MAX} == {}


def test_functions_are_short_enough_to_hold_in_mind():
    found = [(name, function, lines) for name in PYTHON for function, lines in facts(name).functions]
    assert len(found) > len(PYTHON)
    assert [one for one in found if one[2] > FUNCTION_LINES_MAX] == []


def test_a_module_s_name_says_what_is_in_it():
    assert not [name for name in PYTHON if BANNED_NAMES & set(Path(name).with_suffix("").parts)]


def test_a_module_says_what_it_is_for():
    assert [name for name in SOURCES if not facts(name).documented] == []


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
