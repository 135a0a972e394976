import functools

import pytest

from central.fleet import feed
from central.fleet.policies import Kind, Limits, policy_of, standing_policies
from central.fleet.publishing import publish
from shared.errors import OperatorError
from shared.events import ExposurePolicySet
from tests.central.ingest.offices import OFFICE, Centre

pytestmark = pytest.mark.postgres


def put(centre: Centre, office: str | None, kind: Kind = "limits", **limits: int) -> ExposurePolicySet:
    policy = policy_of(kind, Limits(**limits), by="mina", entropy=centre.entropy)
    append = functools.partial(feed.append, clock=centre.clock, signer=centre.keys.feed)
    with centre.engine.begin() as connection:
        publish(connection, office, policy, append)
    return policy


def test_the_newest_of_each_feed_stands_and_the_networks_comes_first(centre: Centre) -> None:
    with centre.engine.connect() as connection:
        assert standing_policies(connection) == []
    put(centre, OFFICE, total_max_rial=1_000)
    newest = put(centre, OFFICE, total_max_rial=2_000, running_hours_max=72)
    network = put(centre, None, count_max=400)
    with centre.engine.connect() as connection:
        all_offices, office = standing_policies(connection)
    assert (all_offices.office_id, all_offices.policy) == (None, network)
    assert (office.office_id, office.policy, office.policy.set_by) == (OFFICE, newest, "mina")


def test_limits_can_be_lifted_and_withdrawn(centre: Centre) -> None:
    put(centre, OFFICE, "unlimited", count_max=5)
    with centre.engine.connect() as connection:
        (office,) = standing_policies(connection)
    assert (office.policy.count_max, office.policy.withdrawn) == (None, False)
    put(centre, OFFICE, "withdrawn")
    with centre.engine.connect() as connection:
        (office,) = standing_policies(connection)
    assert office.policy.withdrawn


@pytest.mark.parametrize(
    ("limits", "code", "field"),
    [
        ({}, "policy.no_limits", "total_max_rial"),
        ({"count_max": 0}, "policy.out_of_range", "count_max"),
        ({"running_hours_max": 24 * 366 + 1}, "policy.out_of_range", "running_hours_max"),
    ],
)
def test_what_no_box_could_read_is_not_signed(centre: Centre, limits: dict[str, int], code: str, field: str) -> None:
    with pytest.raises(OperatorError) as caught:
        policy_of("limits", Limits(**limits), by="mina", entropy=centre.entropy)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_an_unknown_office_gets_no_feed(centre: Centre) -> None:
    with pytest.raises(OperatorError, match=r"office\.unknown"):
        put(centre, "00000000", count_max=1)
    with centre.engine.connect() as connection:
        assert standing_policies(connection) == []
