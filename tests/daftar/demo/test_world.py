"""What the demo's box is set up with, without starting anything."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from daftar.cli_demo import demo
from daftar.demo.world import World, free_ports
from shared.errors import DeviceError


def test_its_terminals_pay_bills_by_their_ids_where_that_was_said_last(tmp_path: Path) -> None:
    first = World(tmp_path, ports=free_ports(), terminals=2, pays_bills=True)
    assert [terminal.pays_bills for terminal in first._terminals()] == [True, True]
    first._save()
    assert all(terminal.pays_bills for terminal in World(tmp_path)._terminals()), "the desk reads the same folder"
    assert not any(terminal.pays_bills for terminal in World(tmp_path, pays_bills=False)._terminals())


def test_a_model_that_pays_no_bills_is_refused_before_anything_starts(tmp_path: Path) -> None:
    world = World(tmp_path, ports=free_ports(), terminal_profile="daftar/virtual_zvt", pays_bills=True)
    with pytest.raises(DeviceError, match=r"terminal\.pays_no_bills"):
        asyncio.run(world.start())
    assert not world.processes


def test_the_whole_job_is_not_done_without_a_provider() -> None:
    refused = CliRunner().invoke(demo, ["--check", "--pays-bills"])
    assert (refused.exit_code, "--pays-bills it is asked for none" in refused.output) == (2, True)
