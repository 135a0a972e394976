import shutil

import pytest
from click.testing import CliRunner

from daftar.cli_lab import lab
from daftar.lab import blocks as rig
from daftar.lab.blocks import HEAD, NoRig, Note, _images, check_machine

FLUSH = Note(is_write=False, at_ns=0, offset=0, data=b"")


def write(offset: int, data: bytes) -> Note:
    return Note(is_write=True, at_ns=0, offset=offset, data=data)


def test_what_was_flushed_is_there_and_of_the_rest_each_block_by_a_coin():
    old, new = b"o" * rig.BLOCK_BYTES, b"n" * rig.BLOCK_BYTES
    notes = [write(0, new + new), FLUSH, write(0, old), write(rig.BLOCK_BYTES, old)]
    flushed = dict(_images(old + old, notes, [2], seed=0))
    assert flushed == {2: new + new}
    seen = {dict(_images(old + old, notes, [4], seed=seed))[4] for seed in range(60)}
    assert seen == {first + second for first in (old, new) for second in (old, new)}


def test_a_machine_without_the_rig_is_told_so_in_a_sentence(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoRig, match="nbdkit"):
        check_machine()
    result = CliRunner().invoke(lab, ["blocks"])
    assert result.exit_code == 1
    assert "nbdkit" in result.output


def test_a_head_of_a_note_has_the_length_that_the_plugin_writes():
    assert HEAD.size == 21
