import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

import firmware_profiles
from firmware_profiles.matching import DeviceClues
from firmware_profiles.printer_profile import PrinterProfile
from firmware_profiles.registry import from_documents
from shared.errors import DeviceError

FILES = sorted((Path(firmware_profiles.__file__).parent / "printers").glob("*/*.toml"))


def document(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def test_the_demo_and_both_paper_widths_are_shipped() -> None:
    names = {msgspec.convert(document(file), PrinterProfile).name for file in FILES}
    assert {"generic/escpos_80mm", "generic/escpos_58mm", "daftar/virtual_80mm"} <= names


def test_real_makes_are_shipped_and_say_where_their_figures_come_from() -> None:
    profiles = [msgspec.convert(document(file), PrinterProfile) for file in FILES]
    makers = {profile.identity.maker for profile in profiles} - {"generic", "daftar"}
    assert len(makers) >= 8
    assert all(profile.source for profile in profiles)
    assert {profile.paper.width_mm for profile in profiles if profile.identity.maker == "generic"} == {58, 80}


def test_each_models_own_name_means_it_alone() -> None:
    catalogue = from_documents({file.as_posix(): file.read_bytes() for file in FILES})
    for profile in catalogue.printers:
        for word in profile.marks.names:
            assert catalogue.match_printer(DeviceClues(texts=(f"MDL:{word.lower()};",))) == profile
        assert profile.marks.names or profile.identity.maker in {"generic", "daftar"}
    with pytest.raises(DeviceError, match="no_match"):
        catalogue.match_printer(DeviceClues(texts=("MDL:TM-T70;",)))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_profile_is_called_as_its_file(file: Path) -> None:
    profile = msgspec.convert(document(file), PrinterProfile)
    assert profile.name == f"{file.parent.name}/{file.stem}"
    assert profile.paper.printable_dots <= profile.paper.width_mm * profile.paper.dots_per_mm


@pytest.mark.parametrize(
    ("table", "key", "value", "says"),
    [
        ("paper", "printable_dot", 576, "printable_dot"),
        ("paper", "printable_dots", 577, "$.paper.printable_dots"),
        ("paper", "width_mm", 76, "$.paper.width_mm"),
        ("raster", "band_dots", 2000, "$.raster.band_dots"),
        ("cut", "cutter", "saw", "$.cut.cutter"),
        ("times", "send_timeout_ms", 0, "$.times.send_timeout_ms"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place_named(table: str, key: str, value: object, says: str) -> None:
    wrong = document(FILES[0])
    wrong[table][key] = value
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(wrong, PrinterProfile)
    assert says in str(refused.value)
