import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from central.fleet.keys import open_keys
from shared.entropy import SystemEntropy
from shared.errors import IntegrityError


def test_keys_are_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_keys(folder, SystemEntropy()).trust(), range(8)))
    assert len({keys.witness for keys in opened}) == len({keys.wrapping for keys in opened}) == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert sorted(path.name for path in folder.iterdir()) == [
        "exchange.key", "feed.key", "witness.key", "wrapping.key",
    ]  # fmt: skip
    assert len({path.read_text() for path in folder.iterdir()}) == 4


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    open_keys(tmp_path, SystemEntropy())
    (tmp_path / "witness.key").chmod(mode)
    with pytest.raises(IntegrityError, match=r"signer\.unsafe"):
        open_keys(tmp_path, SystemEntropy())
    (tmp_path / "witness.key").chmod(0o400)
    open_keys(tmp_path, SystemEntropy())


def test_a_damaged_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    open_keys(tmp_path, SystemEntropy())
    (tmp_path / "feed.key").write_text("00ff\n")
    with pytest.raises(IntegrityError, match=r"central\.bad_key_file"):
        open_keys(tmp_path, SystemEntropy())
