from pathlib import Path

import pytest
from click.testing import CliRunner

from daftar.__main__ import main
from edge.settings import load_settings
from firmware_profiles.printer_address import PrinterAddress

SIMPLE = [
    "--office-name",
    "دفتر",
    "--verify-base",
    "https://central.example",
    "--printer",
    "generic/escpos_80mm@10.0.0.3",
]
ONE = ["--terminal", "behpardakht/pos_pc_viii@10.0.0.2"]


def init(folder: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["edge", "init", "--data", str(folder), *SIMPLE, *arguments])
    return result.exit_code, result.output


def test_one_terminal_needs_no_more_than_its_place(tmp_path: Path) -> None:
    assert init(tmp_path / "box", *ONE) == (0, f"{tmp_path / 'box' / 'box.toml'}: terminal-1\n")
    settings = load_settings(tmp_path / "box")
    (terminal,) = settings.terminals
    assert (terminal.host, terminal.port, terminal.profile) == ("10.0.0.2", 1024, "behpardakht/pos_pc_viii")
    assert (settings.printer.port, settings.allowed_hosts) == (9100, ("127.0.0.1", "localhost"))
    code, said = init(tmp_path / "box", *ONE)
    assert code == 1
    assert "is there already" in said


def test_several_terminals_have_names_in_the_order_given(tmp_path: Path) -> None:
    given = ["--terminal", "باجه ۱=behpardakht/pos_pc_viii@10.0.0.4:2048", *ONE]
    assert init(tmp_path, *given)[0] == 0
    named = [(one.name, one.host, one.port) for one in load_settings(tmp_path).terminals]
    assert named == [("باجه ۱", "10.0.0.4", 2048), ("terminal-2", "10.0.0.2", 1024)]


def test_a_terminals_usual_port_is_its_models(tmp_path: Path) -> None:
    assert init(tmp_path, "--terminal", "pna/pcpos@10.0.0.2")[0] == 0
    assert load_settings(tmp_path).terminals[0].port == 1362


def test_devices_that_are_not_on_the_network_have_an_address(tmp_path: Path) -> None:
    given = ["--terminal", "behpardakht/pos_pc_viii@tcp://10.0.0.2:1024", "--printer", "epson/tm_t20ii@usb://04b8:0e15"]
    assert init(tmp_path, *given)[0] == 0
    settings = load_settings(tmp_path)
    assert settings.terminals[0].address == "tcp://10.0.0.2:1024"
    assert settings.printer.place == PrinterAddress(way="usb", name="04b8:0e15")
    code, said = init(tmp_path / "other", *ONE, "--printer", "epson/tm_t20ii@serial:///dev/ttyUSB0?baud=1")
    assert code == 1
    assert "baud" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "Missing option '--terminal'"),
        (["--terminal", "10.0.0.2:1024"], "is not MAKER/MODEL@HOST"),
        (["--terminal", "nobody/nothing@10.0.0.2"], "nobody/nothing"),
        (["--terminal", "a=behpardakht/pos_pc_viii@h", "--terminal", "a=behpardakht/pos_pc_viii@g"], "the name 'a'"),
        (["--terminal", "behpardakht/pos_pc_viii@h:70000"], "65535"),
        (["--terminal", "daftar/virtual@serial:///dev/ttyUSB0"], "its ways are: tcp"),
    ],
)
def test_what_the_box_would_refuse_is_refused_and_nothing_is_left(tmp_path: Path, given: list[str], said: str) -> None:
    code, output = init(tmp_path, *given)
    assert code != 0
    assert said in output
    assert not list(tmp_path.iterdir())
