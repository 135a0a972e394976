from pathlib import Path

import pytest

from edge.devices.catalogue import BUNDLED, load_catalogue
from shared.errors import DeviceError


def test_a_folder_of_the_office_adds_its_models(tmp_path: Path) -> None:
    text = (BUNDLED / "terminals/daftar/virtual.toml").read_text(encoding="utf-8")
    own = tmp_path / "terminals" / "office" / "quick.toml"
    own.parent.mkdir(parents=True)
    own.write_text(text.replace('"daftar"', '"office"').replace('"virtual"', '"quick"'), encoding="utf-8")
    registry = load_catalogue(tmp_path)
    assert registry.terminal("office/quick").meaning("51").outcome == "declined"
    assert registry.terminal("daftar/virtual").identity.model == "virtual"


def test_a_folder_cannot_quietly_replace_a_bundled_model(tmp_path: Path) -> None:
    own = tmp_path / "terminals" / "daftar" / "virtual.toml"
    own.parent.mkdir(parents=True)
    own.write_bytes((BUNDLED / "terminals/daftar/virtual.toml").read_bytes())
    with pytest.raises(DeviceError, match=r"profile\.duplicate"):
        load_catalogue(tmp_path)
