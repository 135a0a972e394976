"""One real model of each family goes through every trial here; `daftar profile check --all` tries them all."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from edge.devices.catalogue import BUNDLED, load_catalogue, load_with
from edge.devices.conformance import _try as tried
from edge.devices.conformance import check_terminal, check_terminals, trials
from edge.devices.terminal_bench import AMOUNT_RIAL, Bench
from edge.devices.terminals.engines import ENGINES
from edge.devices.virtual.simulators import SIMULATORS
from firmware_profiles.links import ListenLine
from firmware_profiles.profile import CodeMeaning, ProtocolName, TerminalProfile
from shared.errors import DeviceError

REGISTRY = load_catalogue()


def real_model(protocol: ProtocolName) -> TerminalProfile:
    return next(one for one in REGISTRY.terminals if one.protocol == protocol and one.identity.maker != "daftar")


def test_every_family_has_an_engine_and_a_virtual_terminal() -> None:
    assert set(SIMULATORS) == set(ENGINES) == set(get_args(ProtocolName))


async def test_a_model_of_each_family_holds_in_every_trial() -> None:
    found = await check_terminals([real_model(protocol) for protocol in sorted(SIMULATORS)])
    not_so = [(one.profile, trial.what, trial.seen) for one in found for trial in one.findings if not trial.held]
    assert not_so == []
    assert all(one.good and len(one.findings) >= 12 and one.hardware_only for one in found)


async def test_a_terminal_that_connects_to_the_box_pays_as_any_other() -> None:
    profile = msgspec.structs.replace(real_model("behpardakht"), listen=ListenLine(port=8_888))
    assert [trial.what for trial in trials(profile) if trial.link_kind == "listen"] == [
        "approved when it connects to the box"
    ]
    async with Bench(profile, "listen") as bench:
        bench.terminal.set_auto("approve")
        assert (await bench.sale()).kind == "approved"
        assert [charge.amount_rial for charge in bench.terminal.charges] == [AMOUNT_RIAL]


async def test_a_table_that_means_something_else_by_a_code_is_caught() -> None:
    """A wrong line in a profile is the cheapest way to lose money."""
    model = real_model("behpardakht")
    wrong = CodeMeaning(outcome="declined", fa="x", en="x")
    findings = await check_terminal(msgspec.structs.replace(model, codes={**model.codes, "00": wrong}))
    not_so = {one.what for one in findings.findings if not one.held}
    assert not findings.good
    assert "approved: charged once, with the amount as evidence" in not_so


async def test_a_model_that_says_to_pay_bills_and_does_not_is_caught() -> None:
    """What it takes as a sale would be charged, confirmed, and never paid to the biller."""
    pay: dict[ProtocolName, bool] = {"behpardakht": True, "sadad": True, "pna": False, "zvt": False}
    for protocol, pays in pay.items():
        model = real_model(protocol)
        can = msgspec.structs.replace(model, capabilities=msgspec.structs.replace(model.capabilities, bill=True))
        (trial,) = [one for one in trials(can) if one.what.startswith("a bill by its two ids")]
        assert (await tried(can, trial)).held is pays, protocol
    assert not [one for one in trials(real_model("zvt")) if "bill" in one.what], "not tried where it is not said"


async def test_a_model_of_a_known_family_is_a_file_and_no_code(tmp_path: Path) -> None:
    text = (BUNDLED / "terminals/behpardakht/pax.toml").read_text(encoding="utf-8")
    file = tmp_path / "terminals" / "somebody" / "s920.toml"
    file.parent.mkdir(parents=True)
    text = text.replace('maker = "behpardakht"', 'maker = "somebody"').replace('model = "pax"', 'model = "s920"')
    file.write_text(text.replace('names = ["PAX"]', 'names = ["S920"]'), encoding="utf-8")
    registry, name = load_with(file)
    assert name == "somebody/s920"
    async with Bench(registry.terminal(name), "serial") as bench:
        bench.terminal.set_auto("approve")
        assert (await bench.sale()).kind == "approved"
        assert bench.charged


def test_a_bundled_file_is_checked_as_itself_and_a_stray_one_is_refused(tmp_path: Path) -> None:
    registry, name = load_with(BUNDLED / "terminals/behpardakht/pax.toml")
    assert registry.terminal(name).name == "behpardakht/pax"
    stray = tmp_path / "pax.toml"
    stray.write_bytes((BUNDLED / "terminals/behpardakht/pax.toml").read_bytes())
    with pytest.raises(DeviceError, match=r"profile\.misplaced"):
        load_with(stray)
