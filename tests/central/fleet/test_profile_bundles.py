import functools

import pytest

from central.fleet import feed
from central.fleet.profile_bundles import (
    BUNDLE_SIZE_MAX_BYTES,
    bundle_of,
    withdrawal_of,
)
from central.fleet.publishing import publish, published
from shared.entropy import SystemEntropy
from shared.errors import OperatorError
from shared.events import ProfileBundlePublished
from shared.ids import NETWORK_FEED
from tests.central.ingest.offices import OFFICE, Centre

PLACE = "terminals/daftar/virtual.toml"


@pytest.mark.postgres
def test_bundles_are_signed_onto_feeds_and_listed_newest_first(centre: Centre) -> None:
    append = functools.partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
    made = bundle_of({PLACE: "x = 1"}, note="Bitel", by="mina", entropy=centre.entropy)
    with centre.engine.begin() as connection:
        publish(connection, OFFICE, made, append)
        publish(connection, None, withdrawal_of(note="", by="mina", entropy=centre.entropy), append)
        with pytest.raises(OperatorError, match=r"office\.unknown"):
            publish(connection, "nobody", made, append)
    with centre.engine.connect() as connection:
        found = published(connection, ProfileBundlePublished)
    assert {one.feed: one.body.withdrawn for one in found} == {
        NETWORK_FEED: True,
        f"daftar.feed/office/{OFFICE}": False,
    }
    assert made in [one.body for one in found]


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        ({}, "profile_bundle.empty"),
        ({"../../etc/passwd.toml": ""}, "profile_bundle.misplaced"),
        ({"terminals/virtual.toml": ""}, "profile_bundle.misplaced"),
        ({PLACE: "«" * BUNDLE_SIZE_MAX_BYTES}, "profile_bundle.too_large"),
    ],
)
def test_what_no_box_could_take_is_not_signed(documents: dict[str, str], code: str) -> None:
    with pytest.raises(OperatorError) as caught:
        bundle_of(documents, note="", by="mina", entropy=SystemEntropy())
    assert caught.value.code == code


def test_the_largest_bundle_fits_an_entry(centre: Centre) -> None:
    append = functools.partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
    text = "\\" * (BUNDLE_SIZE_MAX_BYTES // 2 - 1)
    made = bundle_of({PLACE: text}, note="n" * 200, by="mina", entropy=centre.entropy)
    with centre.engine.begin() as connection:
        publish(connection, OFFICE, made, append)
