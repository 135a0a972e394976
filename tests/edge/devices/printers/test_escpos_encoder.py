import logging
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from edge.devices.printers.escpos_encoder import encode
from edge.devices.virtual.escpos_paper import AskInTurn, CommandReader, Cut, Raster
from firmware_profiles.printer_profile import Cutter
from tests.golden.receipts.papers import WIDTHS

PROFILE = WIDTHS["80mm"]
WHITE = Image.new("1", (576, 300), 255)


def test_bands_are_as_tall_as_the_profile_allows() -> None:
    commands = CommandReader().read(encode(WHITE, PROFILE))
    assert [len(command.rows) for command in commands if isinstance(command, Raster)] == [128, 128, 44]


@pytest.mark.parametrize(("cutter", "command"), [("full", b"\x1dV\x00"), ("partial", b"\x1dV\x01"), ("none", None)])
def test_only_a_printer_with_a_cutter_is_told_to_cut(cutter: Cutter, command: bytes | None) -> None:
    cut = msgspec.structs.replace(PROFILE.cut, cutter=cutter, feed_dots=50)
    job = encode(WHITE, msgspec.structs.replace(PROFILE, cut=cut))
    assert (b"\x1dV" in job) == (command is not None)
    assert job.endswith(b"\x1bJ\x32" + (command or b"") + b"\x1dr\x01")


def test_the_end_of_a_job_is_asked_behind_everything_else() -> None:
    commands = CommandReader().read(encode(WHITE, PROFILE))
    assert isinstance(commands[-2], Cut)
    assert commands[-1] == AskInTurn(1)
    answers = msgspec.structs.replace(PROFILE.answers, end_of_job=False)
    silent = CommandReader().read(encode(WHITE, msgspec.structs.replace(PROFILE, answers=answers)))
    assert isinstance(silent[-1], Cut)


def test_encoding_says_nothing_and_leaves_logging_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    handlers = list(logging.getLogger().handlers)
    encode(WHITE, PROFILE)
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr() == ("", "")


def test_a_fresh_process_loads_the_package_late_and_leaves_nothing_behind(tmp_path: Path) -> None:
    script = """
import logging, sys
from PIL import Image
from edge.devices.printers import render
from tests.golden.receipts.papers import WIDTHS
assert "escpos" not in sys.modules
render.encode(Image.new("1", (576, 8), 255), WIDTHS["80mm"])
assert "escpos" in sys.modules
assert not logging.getLogger().handlers
"""
    root = Path(__file__).parents[4]
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
