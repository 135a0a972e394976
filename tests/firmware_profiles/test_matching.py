"""A device is one model, by what it says of itself, or a person chooses."""

import msgspec
import pytest

from edge.devices.catalogue import load_catalogue
from firmware_profiles.links import DeviceMarks, UsbIdentity
from firmware_profiles.matching import DeviceClues, fitting
from firmware_profiles.profile import TerminalProfile
from shared.errors import DeviceError

REGISTRY = load_catalogue()
MARKED = [profile for profile in REGISTRY.terminals if profile.marks != DeviceMarks()]
BASE = REGISTRY.terminal("behpardakht/pos_pc_viii")


def model(name: str, marks: DeviceMarks) -> TerminalProfile:
    return msgspec.structs.replace(BASE, identity=msgspec.structs.replace(BASE.identity, model=name), marks=marks)


def found(clues: DeviceClues, *models: TerminalProfile) -> list[str]:
    return [one.identity.model for one in fitting(models, clues)]


@pytest.mark.parametrize("profile", MARKED, ids=[profile.name for profile in MARKED])
def test_what_a_bundled_model_says_of_itself_means_that_model_and_no_other(profile: TerminalProfile) -> None:
    for word in profile.marks.names:
        clues = DeviceClues(protocol=profile.protocol, texts=(f"the {word.upper()} of somebody",))
        assert REGISTRY.match_terminal(clues).name == profile.name
    for usb in profile.marks.usb:
        clues = DeviceClues(usb_vendor=usb.vendor, usb_product=usb.product, texts=profile.marks.names)
        assert REGISTRY.match_terminal(clues).name == profile.name


def test_what_fits_two_models_is_left_to_a_person() -> None:
    with pytest.raises(DeviceError, match=r"profile\.ambiguous") as caught:
        REGISTRY.match_terminal(DeviceClues(protocol="behpardakht", texts=("PAX, or an AMP",)))
    assert caught.value.data["names"] == "behpardakht/amp, behpardakht/pax"


@pytest.mark.parametrize(
    "clues", [DeviceClues(), DeviceClues(texts=("a toaster",)), DeviceClues(usb_vendor="dead", usb_product="beef")]
)
def test_what_fits_no_model_is_not_guessed(clues: DeviceClues) -> None:
    with pytest.raises(DeviceError, match=r"profile\.no_match"):
        REGISTRY.match_terminal(clues)


def test_a_model_without_marks_is_named_by_a_person_only() -> None:
    assert found(DeviceClues(protocol="behpardakht"), model("plain", DeviceMarks())) == []


def test_another_family_is_another_model_whatever_its_name() -> None:
    pax = model("pax", DeviceMarks(names=("PAX",)))
    assert found(DeviceClues(protocol="behpardakht", texts=("pax",)), pax) == ["pax"]
    assert found(DeviceClues(protocol="zvt", texts=("pax",)), pax) == []


def test_a_usb_number_that_is_not_the_models_speaks_against_its_name() -> None:
    usb = model("usb", DeviceMarks(names=("S80",), usb=(UsbIdentity(vendor="1111", product="2222"),)))
    assert found(DeviceClues(usb_vendor="1111", usb_product="2222"), usb) == ["usb"]
    assert found(DeviceClues(usb_vendor="1111", usb_product="3333", texts=("S80",)), usb) == []
    assert found(DeviceClues(texts=("S80",)), usb) == ["usb"]


def test_who_says_more_is_meant() -> None:
    short, long = model("short", DeviceMarks(names=("S80",))), model("long", DeviceMarks(names=("S80 Pro",)))
    assert found(DeviceClues(texts=("s80 pro",)), short, long) == ["long"]
    assert found(DeviceClues(texts=("s80",)), short, long) == ["short"]
    maker = model("maker", DeviceMarks(usb=(UsbIdentity(vendor="1111"),)))
    exact = model("exact", DeviceMarks(usb=(UsbIdentity(vendor="1111", product="2222"),)))
    assert found(DeviceClues(usb_vendor="1111", usb_product="2222"), maker, exact) == ["exact"]
    assert found(DeviceClues(usb_vendor="1111", usb_product="4444"), maker, exact) == ["maker"]
