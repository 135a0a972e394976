"""An office with an enrolled box, at a real central database."""

import msgspec
from sqlalchemy import Connection, Engine, select

from central.fleet import feed
from central.fleet.enrolment import Newcomer, Replaced, add_office, enrol, issue_code
from central.fleet.keys import CentralKeys
from central.ingest.accepted import Posting, post_nothing
from central.ingest.receiver import Receiver
from central.store import fleet, journals
from shared.ids import OfficeId
from sync.edge_session import Answer
from sync.enrolment import Enrolment, enrolment_request, read_enrolment
from tests.sync.models import BoxModel, CountedEntropy, SteppingClock, private_key, public_bytes

OFFICE = OfficeId("72101001")


class Centre(msgspec.Struct):
    """The parts of central that take entries."""

    engine: Engine
    keys: CentralKeys
    clock: SteppingClock
    entropy: CountedEntropy

    def receiver(self, posting: Posting = post_nothing) -> Receiver:
        return Receiver(
            self.engine,
            witness=self.keys.witness,
            answering=self.keys.exchange,
            feed_windows=feed.windows,
            posting=posting,
            clock=self.clock,
            entropy=self.entropy,
        )

    def enrol(
        self,
        key_name: str = "box",
        *,
        code: str | None = None,
        office: OfficeId = OFFICE,
        replaced: Replaced = lambda *_: 0,
        newcomer: Newcomer = lambda *_: 0,
    ) -> Enrolment:
        code = code or issue_code(self.engine, office, clock=self.clock, entropy=self.entropy)
        key = private_key(key_name)
        request = enrolment_request(
            code=code, public_key=public_bytes(key), software="test", entropy=self.entropy, sign=key.sign
        )
        answer = enrol(
            self.engine,
            request,
            keys=self.keys,
            clock=self.clock,
            entropy=self.entropy,
            replaced=replaced,
            newcomer=newcomer,
        )
        return read_enrolment(answer, request_wire=request)

    def box(self, key_name: str = "box") -> BoxModel:
        enrolled = self.enrol(key_name)
        box = BoxModel(enrolled.token, journal=enrolled.journal, key_name=key_name, feed=enrolled.feeds[0])
        box.trust = enrolled.trust
        return box

    def dispositions(self) -> list[tuple[int, str]]:
        table = journals.journal_entry.c
        query = select(table.entry_index, table.disposition).order_by(table.entry_index, table.disposition)
        with self.engine.connect() as connection:
            return [(index, disposition) for index, disposition in connection.execute(query)]

    def alarms(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(fleet.alarm.c.kind).order_by(fleet.alarm.c.alarm_id)).scalars())


def open_centre(engine: Engine, keys: CentralKeys) -> Centre:
    centre = Centre(engine, keys, SteppingClock(), CountedEntropy("central"))
    add_office(engine, OFFICE, "دفتر نمونه", clock=centre.clock)
    return centre


def exchange(box: BoxModel, receiver: Receiver) -> Answer:
    answer = box.receive(receiver.receive(box.request()))
    assert answer is not None
    return answer


def leaves(connection: Connection, journal: str) -> list[bytes]:
    """The main branch's leaves, in order."""
    table = journals.journal_entry.c
    query = select(table.leaf).where(table.journal_id == journal, table.on_main).order_by(table.entry_index)
    return list(connection.execute(query).scalars())
