import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from daftar.cli_journal import journal
from shared.journal.note import parse_key

FOLDER = Path(__file__).parents[1] / "golden"
EXPORT = FOLDER / "journal_v1.export.jsonl"
KEYS = json.loads((FOLDER / "journal_v1.json").read_text())["keys"]


def run(*arguments: str, text: bytes | None = None):
    return CliRunner().invoke(journal, ["verify", *arguments], input=text)


def test_a_right_journal_holds_and_says_when_it_was_cosigned():
    done = run(str(EXPORT), "--box-key", KEYS["box"], "--witness-key", KEYS["witness"])
    assert done.exit_code == 0, done.output
    assert "Everything that was checked holds." in done.output
    assert "DOES NOT" not in done.output
    assert "in Iran)" in done.output


def test_a_hex_key_and_standard_input_do_as_well():
    done = run("-", "--box-key", parse_key(KEYS["box"]).public_key.hex().upper(), text=EXPORT.read_bytes())
    assert done.exit_code == 0, done.output
    assert "not checked  no witness's key was given" in done.output


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda whole: whole[:-200], "is cut or damaged"),
        (lambda whole: whole[:20], "line 1 is not the first line of an exported journal"),
        (lambda _: b"", "line 1 is not the first line of an exported journal"),
        (lambda _: b"\x00" * 2_000_000, "line 1 is not the first line of an exported journal"),
        (lambda _: b"PK\x03\x04\n\xff\n", "line 1 is not the first line of an exported journal"),
        (lambda whole: whole + whole, "stands after the last entry"),
        (lambda whole: b"\n".join(whole.split(b"\n")[:9]) + b"\n", "the file ends after 8 of 17 entries"),
    ],
)
def test_a_damaged_file_ends_with_1_and_a_sentence(tmp_path, damage, said):
    file = tmp_path / "journal.jsonl"
    file.write_bytes(damage(EXPORT.read_bytes()))
    done = run(str(file), "--box-key", KEYS["box"])
    assert done.exit_code == 1
    assert said in done.output
    assert "First bad line: " in done.output
    assert "Traceback" not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_a_key_of_another_journal_is_named():
    done = run(str(EXPORT), "--box-key", KEYS["feed"])
    assert done.exit_code == 1
    assert "the key is of daftar.feed/office/72101001" in done.output


@pytest.mark.parametrize(
    "options",
    [
        ("--box-key", "x"),
        ("--box-key", KEYS["witness"]),
        ("--box-key", KEYS["box"], "--witness-key", "x"),
        ("--box-key", KEYS["box"], "--witness-key", KEYS["box"]),
        (),
    ],
)
def test_a_key_that_cannot_be_one_is_a_mistake_of_use(options):
    done = run(str(EXPORT), *options)
    assert done.exit_code == 2
    assert "key" in done.output


def test_it_needs_nothing_of_a_box_or_of_central():
    asked = "import sys, daftar.cli_journal; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"edge", "central", "sync", "httpx", "litestar", "apsw", "sqlalchemy", "socket"}
