from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select, text

from central.fleet.enrolment import CODE_LIFE, add_office, enrol, issue_code
from central.store import fleet
from shared.errors import OperatorError, PeerError
from shared.ids import OfficeId
from sync.enrolment import enrolment_request
from tests.central.ingest.offices import OFFICE, Centre, exchange
from tests.sync.models import private_key, public_bytes

pytestmark = pytest.mark.postgres


def test_a_code_binds_one_key_and_a_lost_reply_costs_nothing(centre: Centre) -> None:
    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy)
    first = centre.enrol("one", code=code)
    again = centre.enrol("one", code=code.upper().replace("-", " "))
    assert (again.journal, again.box, again.token) == (first.journal, first.box, first.token)
    assert first.journal == "daftar.journal/72101001/1/1"
    with pytest.raises(PeerError, match=r"enrolment\.code_used"):
        centre.enrol("two", code=code)
    assert centre.enrol("two").journal == "daftar.journal/72101001/2/1"


def test_askers_in_one_instant_share_a_code_only_if_they_share_a_key(centre: Centre) -> None:
    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy)

    def ask(name: str) -> str:
        try:
            return centre.enrol(name, code=code).journal
        except PeerError as error:
            return error.code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, ["one", "two"] * 3))
    assert sorted(answers) == ["daftar.journal/72101001/1/1"] * 3 + ["enrolment.code_used"] * 3


def test_unknown_expired_and_foreign_codes_are_refused(centre: Centre) -> None:
    with pytest.raises(PeerError, match=r"enrolment\.code_unknown"):
        centre.enrol(code="aaaa-bbbb-cccc")
    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy)
    centre.clock._now += CODE_LIFE + timedelta(seconds=1)
    with pytest.raises(PeerError, match=r"enrolment\.code_expired"):
        centre.enrol(code=code)
    centre.enrol("one")
    other = OfficeId("99999999")
    add_office(centre.engine, other, "دیگر", clock=centre.clock)
    with pytest.raises(PeerError, match=r"enrolment\.key_bound"):
        centre.enrol("one", office=other)


def test_a_request_must_be_signed_by_the_key_it_names(centre: Centre) -> None:
    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy)
    request = enrolment_request(
        code=code,
        public_key=public_bytes(private_key("one")),
        software="test",
        entropy=centre.entropy,
        sign=private_key("two").sign,
    )
    with pytest.raises(PeerError, match=r"exchange\.wrong_signature"):
        enrol(centre.engine, request, keys=centre.keys, clock=centre.clock, entropy=centre.entropy)
    with centre.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(fleet.box)).scalar_one() == 0


def test_a_box_that_enrols_again_after_exchanging_has_lost_its_state_and_it_shows(centre: Centre) -> None:
    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy)
    enrolled = centre.enrol(code=code)
    box, receiver = centre.box(), centre.receiver()
    assert box.log.name == enrolled.journal
    box.write()
    exchange(box, receiver)
    exchange(box, receiver)
    box.token = centre.enrol(code=code).token
    assert exchange(box, receiver).status == "quarantined"


def test_offices_have_one_code_each(centre: Centre) -> None:
    with pytest.raises(OperatorError, match=r"office\.exists"):
        add_office(centre.engine, OFFICE, "again", clock=centre.clock)
    with pytest.raises(OperatorError, match=r"office\.unknown"):
        issue_code(centre.engine, OfficeId("1"), clock=centre.clock, entropy=centre.entropy)


def test_a_code_that_replaces_a_box_opens_its_next_journal_and_names_the_one_before(centre: Centre) -> None:
    box = centre.box("one")
    box.write(3)
    exchange(box, centre.receiver())
    code = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy, replaces="1")
    heard: list[tuple[str, str]] = []

    def replaced(_: Connection, office: str, journal: str, __: datetime) -> None:
        heard.append((office, journal))

    second = centre.enrol("two", code=code, replaced=replaced)
    assert (second.box, second.journal) == ("1", "daftar.journal/72101001/1/2")
    assert second.predecessor == "daftar.journal/72101001/1/1"
    assert second.predecessor_cosigned_size == box.log.size()
    assert heard == [("72101001", "daftar.journal/72101001/1/1")]
    # A lost reply costs nothing, and tells the same whatever the old box has sent since.
    box.write(2)
    exchange(box, centre.receiver())
    again = centre.enrol("two", code=code)
    assert (again.journal, again.token) == (second.journal, second.token)
    assert again.predecessor_cosigned_size == second.predecessor_cosigned_size
    third = issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy, replaces="1")
    assert centre.enrol("three", code=third).predecessor == second.journal
    assert centre.enrol("four").journal == "daftar.journal/72101001/2/1"


def test_a_box_that_is_not_there_is_not_replaced(centre: Centre) -> None:
    with pytest.raises(OperatorError, match=r"enrolment\.no_such_box"):
        issue_code(centre.engine, OFFICE, clock=centre.clock, entropy=centre.entropy, replaces="7")


def test_an_enrolment_that_is_given_up_for_a_deadlock_is_done_anew(centre: Centre) -> None:
    tries = []

    def newcomer(connection: Connection, _office: str, journal: str, _before: str | None) -> int:
        tries.append(journal)
        if len(tries) == 1:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$"))
        return 0

    assert centre.enrol(newcomer=newcomer).journal == "daftar.journal/72101001/1/1"
    assert len(tries) == 2
    assert centre.enrol("two").journal == "daftar.journal/72101001/2/1"
