import msgspec
import pytest

from edge.services.people.permissions import Permissions, Permitted
from edge.store.people import MANAGER, OPERATOR, OperatorView
from shared.acts import ACTS, EVERYTHING, is_act, service_act
from shared.errors import OperatorError


class Rows(msgspec.Struct):
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    def permitted(self, person: str) -> tuple[frozenset[str], frozenset[str]] | None:
        """Nobody ever set what Reza may do."""
        return None if person == "reza" else (frozenset(self.allowed), frozenset(self.denied))


class People:
    def operator(self, username: str) -> OperatorView | None:
        return OperatorView(username=username, name=username, role=MANAGER if username == "mina" else OPERATOR)


def permissions(*allowed: str, denied: tuple[str, ...] = ()) -> Permissions:
    return Permissions(Rows(allowed, denied), People())


def test_a_denial_wins_over_everything_that_allows():
    both = Permitted(frozenset({EVERYTHING, "bills"}), frozenset({"bills"}))
    assert not both.may("bills")
    assert both.may("refunds")


def test_what_was_not_allowed_is_not_permitted_and_everything_covers_services_to_come():
    assert not permissions("bills").may_sell("sara", "fine_total")
    assert permissions(EVERYTHING).may_sell("sara", "a_service_of_next_year")
    assert not permissions(EVERYTHING, denied=(service_act("fine_total"),)).may_sell("sara", "fine_total")


def test_a_manager_and_whoever_was_never_limited_may_do_everything():
    nothing = permissions()
    assert [nothing.may(person, "bills") for person in ("sara", "mina", "reza")] == [False, True, True]


def test_a_program_may_in_a_persons_name_what_that_person_may():
    some = permissions("bills")
    assert some.may("api:kiosk/sara", "bills")
    assert not some.may("api:kiosk/sara", "refunds")
    assert some.may("api:kiosk", "refunds")


def test_who_may_not_is_told_so():
    with pytest.raises(OperatorError, match=r"auth\.not_permitted") as told:
        permissions().check_sell("sara", "fine_total")
    assert told.value.data == {"act": "service:fine_total"}
    permissions("service:fine_total").check_sell("sara", "fine_total")


def test_an_act_is_one_of_the_list_or_of_a_service():
    assert all(is_act(act) for act in ACTS)
    assert is_act(service_act("fine_total"))
    assert not any(is_act(word) for word in ("", "service:", EVERYTHING, "other"))
