from collections.abc import Awaitable, Callable, Iterator

import msgspec
import pytest

from edge.journal.people import LastSignIn, Place
from edge.services.people.manage_people import ManagePeople, Wish
from edge.services.people.permissions import Permissions
from edge.services.people.presence import MINUTE_MS
from edge.services.people.sign_in import ATTEMPTS_MAX, WAIT_MS, SignIn
from edge.store.people import MANAGER, OPERATOR, OperatorView, People
from edge.store.rebuild import rebuild_projections
from shared.acts import COMMAND_LINE
from shared.clock import instant_text
from shared.errors import OperatorError
from shared.events import Body, PersonAdded, PersonDenied
from shared.journal.entry import decode_entry
from tests.edge.passwords import QUICK_HASHER, quick_verifier_of
from tests.edge.store.boxes import Box

FIRST = "سه واژه نامربوط"
OWN = "چهار واژه دیگر هم"
HERE = Place(address="10.0.0.7", browser="Firefox")


@pytest.fixture
def people(box: Box) -> Iterator[People]:
    opened = People(box.path)
    verifier = quick_verifier_of(OWN)
    opened.save_operator("mina", name="مینا", verifier=verifier, role=MANAGER)
    opened.save_operator("sara", name="سارا", verifier=verifier, role=OPERATOR)
    yield opened
    opened.close()


@pytest.fixture
def sign_in(box: Box, people: People) -> SignIn:
    return SignIn(people, box.clock, box.entropy, box.writer.boot, lock_after_ms=5 * MINUTE_MS, hasher=QUICK_HASHER)


@pytest.fixture
def managing(box: Box, people: People, sign_in: SignIn) -> ManagePeople:
    return ManagePeople(box.writer, people, sign_in, box.identity.office)


def said(box: Box) -> list[tuple[str, dict[str, object]]]:
    """Return what the journal says of people."""
    entries = (decode_entry(data) for data, _ in box.queries.entries(0, 100))
    return [(entry.type, msgspec.json.decode(entry.body)) for entry in entries if entry.type.startswith("person.")]


async def test_a_new_person_signs_in_with_a_password_to_be_changed(
    box: Box, people: People, sign_in: SignIn, managing: ManagePeople
):
    assert await managing.add("Reza", name=" رضا  کریمی ", role=OPERATOR, password=FIRST, operator="mina") == "reza"
    token = await sign_in.sign_in("reza", FIRST)
    person = sign_in.operator_of(token)
    assert person == OperatorView(username="reza", name="رضا کریمی", role=OPERATOR, must_change=True)
    other = await sign_in.sign_in("reza", FIRST)
    await managing.change_password(token, FIRST, OWN, OWN)
    assert people.operator("reza") == msgspec.structs.replace(person, must_change=False)
    assert (sign_in.operator_of(token) is None, sign_in.operator_of(other) is None) == (False, True)
    assert await sign_in.sign_in("reza", OWN)
    assert said(box) == [
        ("person.added", {"person": "reza", "name": "رضا کریمی", "role": "operator", "operator": "mina"}),
        ("person.password_set", {"person": "reza", "operator": "reza"}),
    ]
    assert rebuild_projections(box.path) == []


async def test_nobody_is_added_half(box: Box, people: People, managing: ManagePeople):
    for username, name, password, code in (
        ("SARA", "سارا", FIRST, "people.username_taken"),
        ("", "سارا", FIRST, "people.username_missing"),
        ("api:kiosk", "سارا", FIRST, "people.username_shape"),
        ("a/b", "سارا", FIRST, "people.username_shape"),
        ("x" * 65, "سارا", FIRST, "people.username_shape"),
        ("reza", "  ", FIRST, "people.name_missing"),
        ("reza", "رضا", "کوتاه", "auth.password_short"),
        ("reza", "رضا", "reza-reza", "auth.password_easy"),
    ):
        with pytest.raises(OperatorError) as told:
            await managing.add(username, name=name, role=OPERATOR, password=password, operator="mina")
        assert told.value.code == code
    assert [person.username for person in people.operators()] == ["mina", "sara"]
    assert said(box) == []


async def test_the_last_manager_stays(box: Box, managing: ManagePeople):
    for refused in (
        managing.deny("mina", operator="mina"),
        managing.change("mina", name="مینا", role=OPERATOR, operator="mina"),
    ):
        with pytest.raises(OperatorError, match=r"people\.last_manager"):
            await refused
    await managing.change("sara", name="سارا", role=MANAGER, operator="mina")
    await managing.deny("mina", operator="sara")
    with pytest.raises(OperatorError, match=r"people\.last_manager"):
        await managing.deny("sara", operator="sara")
    assert [kind for kind, _ in said(box)] == ["person.changed", "person.denied"]


async def test_a_denial_ends_sessions_at_once_and_a_second_one_says_nothing(
    box: Box, sign_in: SignIn, managing: ManagePeople
):
    token = await sign_in.sign_in("sara", OWN)
    await managing.deny("sara", operator="mina")
    await managing.deny("sara", operator="mina")
    assert sign_in.operator_of(token) is None
    with pytest.raises(OperatorError, match=r"auth\.wrong"):
        await sign_in.sign_in("sara", OWN)
    await managing.allow("sara", operator="mina")
    assert await sign_in.sign_in("sara", OWN)
    assert [kind for kind, _ in said(box)] == ["person.denied", "person.allowed"]


async def test_a_manager_gives_a_forgotten_password_anew(people: People, sign_in: SignIn, managing: ManagePeople):
    token = await sign_in.sign_in("sara", OWN)
    await managing.reset_password("sara", FIRST, operator="mina")
    assert sign_in.operator_of(token) is None
    sara = sign_in.operator_of(await sign_in.sign_in("sara", FIRST))
    assert sara is not None
    assert sara.must_change
    with pytest.raises(OperatorError, match=r"people\.unknown"):
        await managing.reset_password("nobody", FIRST, operator="mina")


async def test_what_was_permitted_holds_at_once_and_what_was_not_shown_stays(
    box: Box, people: People, managing: ManagePeople
):
    permissions = Permissions(box.queries, people)
    shown = frozenset({"bills", "refunds", "service:fine_total"})
    await managing.permit("sara", Wish(shown=shown, ticked=frozenset({"bills"}), new_services=True), operator="mina")
    assert [permissions.may("sara", act) for act in ("bills", "refunds", "service:fine_total")] == [True, False, False]
    assert permissions.may_sell("sara", "of_next_year")
    # The fine inquiry is not in the catalogue any more when the manager sets the rest.
    some = Wish(shown=frozenset({"bills", "refunds"}), ticked=frozenset({"refunds"}), new_services=False)
    await managing.permit("sara", some, operator="mina")
    assert [permissions.may("sara", act) for act in ("bills", "refunds")] == [False, True]
    assert not permissions.may_sell("sara", "fine_total")
    assert not permissions.may_sell("sara", "of_next_year")
    await managing.permit("sara", some, operator="mina")
    assert [body["denied"] for _, body in said(box)] == [
        ["refunds", "service:fine_total"],
        ["bills", "service:fine_total"],
    ]
    assert rebuild_projections(box.path) == []


async def test_ones_own_password_takes_the_old_one_and_a_good_new_one(
    box: Box, sign_in: SignIn, managing: ManagePeople
):
    token = await sign_in.sign_in("sara", OWN)
    for old, new, again, *told in (
        ("wrong", FIRST, FIRST, "auth.password_wrong", "old"),
        (OWN, FIRST, FIRST + "x", "auth.password_differs", "again"),
        (OWN, OWN, OWN, "auth.password_same", "new"),
        (OWN, "short", "short", "auth.password_short", "new"),
        (OWN, "sara1234", "sara1234", "auth.password_easy", "new"),
        (OWN, "72101001", "72101001", "auth.password_easy", "new"),
    ):
        with pytest.raises(OperatorError) as refused:
            await managing.change_password(token, old, new, again)
        assert [refused.value.code, refused.value.field] == told
    assert said(box) == []


async def test_guesses_are_counted_wherever_a_password_is_asked_for(
    box: Box, sign_in: SignIn, managing: ManagePeople, monkeypatch: pytest.MonkeyPatch
):
    token = await sign_in.sign_in("mina", OWN)
    guesses: list[Callable[[], Awaitable[object]]] = [
        lambda: sign_in.unlock(token, "guess"),
        lambda: managing.change_password(token, "guess", FIRST, FIRST),
        lambda: sign_in.manager("mina", "guess"),
        lambda: sign_in.sign_in("mina", "guess"),
        lambda: sign_in.unlock(token, "guess"),
    ]
    assert len(guesses) == ATTEMPTS_MAX
    with monkeypatch.context() as quick:
        quick.setattr(sign_in, "_verify", lambda *_: False)
        for guess in guesses:
            with pytest.raises(OperatorError, match=r"auth\.(wrong|password_wrong)"):
                await guess()
    for guess in guesses:
        with pytest.raises(OperatorError, match=r"auth\.too_many"):
            await guess()
    with pytest.raises(OperatorError, match=r"auth\.too_many"):
        await sign_in.unlock(token, OWN)
    box.clock.step(milliseconds=WAIT_MS + 1)
    await sign_in.unlock(token, OWN)


async def test_who_signs_in_is_told_when_they_were_in_last_and_who_tried_since(box: Box, sign_in: SignIn):
    first = await sign_in.sign_in("sara", OWN, HERE)
    assert sign_in.greeting(first) == LastSignIn(last=None)
    at = instant_text(box.clock.now())
    box.clock.step(hours=1)
    for _ in range(2):
        with pytest.raises(OperatorError, match=r"auth\.wrong"):
            await sign_in.sign_in("sara", "guess", Place(address="10.0.0.99"))
    tried = instant_text(box.clock.now())
    box.clock.step(hours=1)
    told = sign_in.greeting(await sign_in.sign_in("sara", OWN, HERE))
    assert told is not None
    assert told.last is not None
    assert told.failed is not None
    assert (told.last.at, told.last.place, told.failed_count) == (at, HERE, 2)
    assert (told.failed.at, told.failed.place.address) == (tried, "10.0.0.99")
    assert [one.right for one in sign_in.sign_ins("sara")] == [True, False, False, True]
    assert [session.place for session in sign_in.sessions_of("sara")] == [HERE, HERE]


async def test_a_locked_session_opens_with_its_own_persons_password_only(box: Box, sign_in: SignIn):
    token = await sign_in.sign_in("sara", OWN)
    box.clock.step(minutes=5)
    visitor = sign_in.visitor(token, active=True)
    assert visitor is not None
    assert (visitor.locked, visitor.left_ms) == (True, 0)
    with pytest.raises(OperatorError, match=r"auth\.password_wrong"):
        await sign_in.unlock(token, FIRST)
    await sign_in.unlock(token, OWN)
    visitor = sign_in.visitor(token, active=False)
    assert visitor is not None
    assert (visitor.locked, visitor.left_ms) == (False, 5 * MINUTE_MS)
    await sign_in.sign_out(token)
    with pytest.raises(OperatorError, match=r"auth\.sign_in_needed"):
        await sign_in.unlock(token, OWN)


async def test_signing_out_everywhere_is_journaled(box: Box, sign_in: SignIn, managing: ManagePeople):
    tokens = [await sign_in.sign_in("sara", OWN) for _ in range(2)]
    await managing.end_sessions("sara", operator="sara")
    assert [sign_in.operator_of(token) for token in tokens] == [None, None]
    assert said(box) == [("person.sessions_ended", {"person": "sara", "operator": "sara"})]


async def test_what_the_command_line_changed_is_journaled_once_by_the_box(
    box: Box, people: People, managing: ManagePeople
):
    added: Body = PersonAdded(person="ali", name="علی", role="operator", operator=COMMAND_LINE)
    people.save_operator("ali", name="علی", verifier=quick_verifier_of(OWN), role=OPERATOR, noted=[added])
    people.set_disabled("ali", disabled=True, noted=[PersonDenied(person="ali", operator=COMMAND_LINE)])
    size = box.queries.size()
    await managing.journal_command_line()
    await managing.journal_command_line()
    assert box.queries.size() == size + 2
    assert [(kind, body["operator"]) for kind, body in said(box)] == [
        ("person.added", "box:"),
        ("person.denied", "box:"),
    ]


async def test_of_sign_ins_the_newest_are_kept_and_made_up_names_are_not(people: People):
    for number in range(300):
        people.note_sign_in("sara", at=f"{number:03}", place=HERE, right=number < 150)
    people.note_sign_in("nobody", at="x", place=HERE, right=False)
    told = people.last_sign_in("sara")
    assert told.last is not None
    assert (told.last.at, told.failed_count) == ("149", 99)
    assert people._do("SELECT count(*) FROM sign_in") == [(119,)]
