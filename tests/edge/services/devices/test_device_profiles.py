"""Profiles that come down the feed: which a run works with, and what a bad bundle costs (nothing)."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from daftar.cli_edge import edge
from edge.app import create_app
from edge.devices.catalogue import BUNDLED
from edge.services.devices.device_profiles import REFUSED_ALARM, profiles_in_use
from edge.settings import PrinterSettings, Settings, TerminalSettings, load_settings, save_settings
from edge.store.rebuild import rebuild_projections
from shared.clock import SystemClock
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import JOURNAL_BODIES, BootStarted, ProfileBundlePublished, ProfileDocument, decode_body
from shared.ids import NETWORK_FEED
from shared.journal.entry import decode_entry
from tests.edge.store.boxes import OFFICE_FEED, Box
from tests.edge.test_app import NOWHERE, visiting

MODEL = "terminals/daftar/virtual.toml"


def settings(wanted: str = "newest", profile: str = "daftar/virtual", *, pays_bills: bool = False) -> Settings:
    return Settings(
        office_name="دفتر آزمون",
        terminals=(TerminalSettings(host="127.0.0.1", port=NOWHERE, profile=profile, pays_bills=pays_bills),),
        printer=PrinterSettings(host="127.0.0.1", port=NOWHERE, profile="daftar/virtual_80mm"),
        verify_base="http://127.0.0.1:1",
        profile_bundle=wanted,
    )


def model(answer_timeout_ms: int) -> str:
    text = (BUNDLED / MODEL).read_text(encoding="utf-8")
    assert "answer_timeout_ms = 20000" in text
    return text.replace("answer_timeout_ms = 20000", f"answer_timeout_ms = {answer_timeout_ms}")


def bundle(name: str, **documents: str) -> ProfileBundlePublished:
    placed = tuple(ProfileDocument(path=path, text=text) for path, text in documents.items())
    return ProfileBundlePublished(bundle_id=name, documents=placed, withdrawn=not placed)


def say(box: Box, feed: str, said: ProfileBundlePublished) -> None:
    source = box.central.network if feed == NETWORK_FEED else box.central.office
    box.receive(feed, [source.say(said)])


def timeout_of(box: Box, wanted: str = "newest") -> int:
    in_use = profiles_in_use(box.queries, settings(wanted))
    return in_use.registry.terminal("daftar/virtual").times.answer_timeout_ms


def test_the_offices_own_go_before_the_networks_and_both_before_the_programs(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        assert timeout_of(box) == 20_000
        say(box, NETWORK_FEED, bundle("all", **{MODEL: model(21_000)}))
        assert timeout_of(box) == 21_000
        say(box, OFFICE_FEED, bundle("ours", **{MODEL: model(22_000)}))
        assert timeout_of(box) == 22_000
        say(box, NETWORK_FEED, bundle("all-2", **{MODEL: model(23_000)}))
        assert timeout_of(box) == 22_000
        say(box, OFFICE_FEED, bundle("none-of-ours"))
        assert timeout_of(box) == 23_000
        assert [timeout_of(box, wanted) for wanted in ("none", "ours", "all")] == [20_000, 22_000, 21_000]
        with pytest.raises(OperatorError, match=r"profile_bundle\.unknown"):
            timeout_of(box, "never-came")
    assert rebuild_projections(box.path) == []


def test_a_model_that_no_release_knows_is_added_by_data_alone(tmp_path: Path) -> None:
    new = model(20_000).replace('model = "virtual"', 'model = "brand_new"')
    with Box(tmp_path) as box:
        say(box, NETWORK_FEED, bundle("all", **{"terminals/daftar/brand_new.toml": new}))
        in_use = profiles_in_use(box.queries, settings(profile="daftar/brand_new"))
    assert in_use.registry.terminal("daftar/brand_new").protocol == "behpardakht"
    assert in_use.registry.terminal("daftar/virtual").name == "daftar/virtual"


@pytest.mark.parametrize("later", [{MODEL: model(21_000)}, {}], ids=["another model only", "withdrawn"])
def test_a_model_that_a_later_bundle_forgets_does_not_cost_the_office_its_terminal(
    tmp_path: Path, later: dict[str, str]
) -> None:
    new = model(20_000).replace('model = "virtual"', 'model = "brand_new"')
    with Box(tmp_path) as box:
        say(box, NETWORK_FEED, bundle("first", **{"terminals/daftar/brand_new.toml": new}))
        say(box, NETWORK_FEED, bundle("second", **later))
        in_use = profiles_in_use(box.queries, settings(profile="daftar/brand_new"))
        view = in_use.view(box.queries)
    assert in_use.registry.terminal("daftar/brand_new").protocol == "behpardakht"
    assert in_use.bundle_ids == ("first",)
    assert (view.waiting, view.none_next) == ((), False)
    assert in_use.refused is not None
    assert (in_use.refused.bundle_id, in_use.refused.why.split()[0]) == ("second", "profile.unknown")


@pytest.mark.parametrize(
    "text",
    [
        "this is no profile",
        model(20_000).replace('model = "virtual"', 'model = "another"'),
        model(20_000).replace("[times]", "[times]\nunheard_of = 1"),
        model(20_000).replace("[tcp]", "[listen]"),
        model(20_000).replace("bill = true", "bill = false"),
    ],
    ids=["no profile", "misplaced", "unknown key", "cannot be reached any more", "pays no bills any more"],
)
def test_a_bad_bundle_is_refused_whole_and_the_one_before_it_stays(tmp_path: Path, text: str) -> None:
    with Box(tmp_path) as box:
        say(box, NETWORK_FEED, bundle("good", **{MODEL: model(21_000)}))
        say(box, OFFICE_FEED, bundle("bad", **{MODEL: text}))
        in_use = profiles_in_use(box.queries, settings(pays_bills=True))
        assert in_use.bundle_ids == ("good",)
        assert in_use.refused is not None
        assert in_use.refused.bundle_id == "bad"
        assert in_use.registry.terminal("daftar/virtual").times.answer_timeout_ms == 21_000
        view = in_use.view(box.queries)
    assert (view.waiting, view.refused) == ((), in_use.refused)


async def test_a_start_takes_the_newest_up_says_so_and_alarms_once_of_a_refused_one(tmp_path: Path) -> None:
    save_settings(tmp_path, settings())
    with Box(tmp_path) as box:
        say(box, NETWORK_FEED, bundle("good", **{MODEL: model(21_000)}))
        say(box, OFFICE_FEED, bundle("bad", **{MODEL: "nonsense"}))
    for _ in range(2):
        async with visiting(create_app(tmp_path, SystemClock(), SystemEntropy())):
            pass
    with Box(tmp_path) as box:
        entries = [decode_entry(data) for data, _ in box.queries.entries(0, 100)]
        starts = [
            decode_body(one.type, bytes(one.body), JOURNAL_BODIES) for one in entries if one.type == "boot.started"
        ]
        alarms = [alarm.kind for alarm in box.queries.status().alarms]
    assert [start.profile_bundles for start in starts if isinstance(start, BootStarted)] == [("good",)] * 2
    assert alarms.count(REFUSED_ALARM) == 1


def test_a_technician_goes_back_by_one_command_and_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        say(box, NETWORK_FEED, bundle("first", **{MODEL: model(21_000)}))
        say(box, NETWORK_FEED, bundle("second", **{MODEL: model(22_000)}))
    save_settings(tmp_path, settings())
    file = tmp_path / "box.toml"
    file.write_text("# written by hand\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    run = CliRunner()
    for which in ("first", "newest", "none"):
        done = run.invoke(edge, ["profiles", "use", "--data", str(tmp_path), which])
        assert done.exit_code == 0, done.output
        assert load_settings(tmp_path).profile_bundle == which
    assert "# written by hand" in file.read_text(encoding="utf-8")
    assert run.invoke(edge, ["profiles", "use", "--data", str(tmp_path), "third"]).exit_code == 1
    listed = run.invoke(edge, ["profiles", "list", "--data", str(tmp_path)])
    assert "wanted: none" in listed.output
    assert listed.output.index("second") < listed.output.index("first")
