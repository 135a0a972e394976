"""Journals in quarantine: who asks in their name, and what two people make of them.

    go_on    one of the askers is the box: its log goes on from the main branch. Its token becomes the current one, so
             that its next exchange is taken, and whoever asks with another token is found as before
    retire   the journal never goes on; the box's next journal names it (`central office code --replace`)

A fork is never merged: entries that stand beside the main branch stay there. Their payments were real, perhaps: where
the two people say so, the books take them too, in the branch's order; what does not fit becomes a case.
"""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from central.ingest.accepted import JournalContext, Posting
from central.ingest.entries import try_post
from central.ingest.reposting import accepted_of
from central.ledger.left_behind import open_left_behind
from central.ledger.reasons import REASON_SIZE_MAX, plain_reason
from central.store import fleet, journals
from central.store.books import posted_entry
from central.store.journal_branches import StoredBranches
from central.store.transactions import in_transaction
from shared.clock import Clock
from shared.errors import IntegrityError, OperatorError
from shared.journal.entry import decode_entry
from shared.journal.tree import Frontier
from sync.central_session import Verdict
from sync.checked_request import CheckedRequest

Kind = Literal["go_on", "retire"]
KINDS: Final[tuple[Kind, ...]] = ("go_on", "retire")
ALARMS: Final = ("clone", "clone_or_restored", "state_loss", "fork", "rollback")
"""Alarms by which a journal is quarantined; a decision answers them."""
BOOKED_ASIDE: Final = "booked_aside"
"""Disposition of an entry beside the main branch that the books were given."""


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks with one token. `size` and `root` are of the log it showed last."""

    token: bytes
    size: int
    root: bytes
    goes_on: bool
    boot: str
    asked_count: int
    first_at: datetime
    last_at: datetime

    @property
    def name(self) -> str:
        """Return what the asker is called: the first digits of its log's root and of nothing secret."""
        return f"{self.size}-{self.root.hex()[:12]}-{self.boot}"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was proposed of a journal. `state`: proposed, agreed, dropped."""

    decision_id: int
    kind: Kind
    token: bytes | None
    book_aside: bool
    reason: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    booked_count: int | None
    unbooked_count: int | None


def note_asker(
    connection: Connection,
    context: JournalContext,
    checked: CheckedRequest,
    verdict: Verdict,
    *,
    held: int,
    at: datetime,
) -> None:
    """Note who asked in the name of a journal that is in quarantine by now. `held` is the main branch's size."""
    request = checked.request
    if request.token is None:
        return
    table = journals.quarantine_asker
    told = {
        "size": checked.checkpoint.size,
        "root": checked.checkpoint.root,
        "boot": request.boot.replace("\x00", "\ufffd"),
        "last_at": at,
    }
    if request.first <= held:
        # A window that begins beyond what is held shows nothing of how the log stands to it.
        told["goes_on"] = verdict.aside_as == "held"
    statement = insert(table).values(
        office_id=context.office,
        journal_id=context.journal,
        token=request.token,
        asked_count=1,
        first_at=at,
        **{"goes_on": False, **told},
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.office_id, table.c.journal_id, table.c.token],
            set_={**told, "asked_count": table.c.asked_count + 1},
        )
    )


def askers(connection: Connection, journal_id: str) -> tuple[Asker, ...]:
    """Return who asks in the name of a journal in quarantine, the newest first."""
    table = journals.quarantine_asker
    query = select(*(table.c[name] for name in Asker.__struct_fields__)).where(table.c.journal_id == journal_id)
    return tuple(Asker(**row) for row in connection.execute(query.order_by(table.c.last_at.desc())).mappings())


def decisions(connection: Connection, journal_id: str) -> tuple[Decision, ...]:
    """Return what was proposed of a journal, oldest first."""
    table = journals.quarantine_decision
    query = select(*(table.c[name] for name in Decision.__struct_fields__)).where(table.c.journal_id == journal_id)
    return tuple(Decision(**row) for row in connection.execute(query.order_by(table.c.decision_id)).mappings())


def propose(
    engine: Engine,
    journal_id: str,
    *,
    kind: str,
    asker: str = "",
    book_aside: bool,
    reason: str,
    by: str,
    clock: Clock,
) -> int:
    """Propose what becomes of a journal; return the decision's number. `asker` is the name of the one that goes on.

    Raises OperatorError `quarantine.not_in_it`, `quarantine.bad_kind`, `quarantine.no_reason`, `quarantine.no_asker`,
    `quarantine.goes_elsewhere`, `quarantine.waits`.
    """
    words = plain_reason(reason)
    if kind not in KINDS:
        raise OperatorError("quarantine.bad_kind", field="kind")
    if words is None:
        raise OperatorError("quarantine.no_reason", field="reason", max=REASON_SIZE_MAX)
    with engine.begin() as connection:
        journal = _quarantined(connection, journal_id)
        token = None
        if kind == "go_on":
            token = _who_goes_on(connection, journal_id, lambda one: one.name == asker).token
        new = connection.execute(
            insert(journals.quarantine_decision)
            .values(
                office_id=journal.office_id,
                journal_id=journal_id,
                kind=kind,
                token=token,
                book_aside=book_aside,
                reason=words,
                state="proposed",
                proposed_by=by,
                proposed_at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(journals.quarantine_decision.c.decision_id)
        ).one_or_none()
        if new is None:
            raise OperatorError("quarantine.waits")
        return int(new.decision_id)


def agree(engine: Engine, decision_id: int, posting: Posting, *, by: str, clock: Clock) -> Decision:
    """Agree to what another person proposed, and do it; return it.

    Raises OperatorError `quarantine.no_decision`, `quarantine.one_person`, `quarantine.not_in_it`,
    `quarantine.no_asker`, `quarantine.goes_elsewhere`.
    """
    at = clock.now()

    def work(connection: Connection) -> Decision:
        decision = _waiting(connection, decision_id)
        if decision.proposed_by == by:
            raise OperatorError("quarantine.one_person")
        journal = _quarantined(connection, decision.journal_id)
        changes: dict[str, object] = {"retired_at": at}
        goes_on: frozenset[bytes] | None = frozenset()
        if decision.kind == "go_on":
            asker = _who_goes_on(connection, journal.journal_id, lambda one: one.token == decision.token)
            changes = {"quarantined_at": None, "token": asker.token, "spent_token": None}
            goes_on = _held_of(connection, journal, asker)
            connection.execute(delete(journals.quarantine_asker).where(_asker_of(journal)))
        booked = unbooked = 0
        if decision.book_aside:
            booked, unbooked = _book_aside(connection, journal, posting, goes_on=goes_on)
        table = journals.journal
        connection.execute(update(table).where(table.c.journal_id == journal.journal_id).values(changes))
        if decision.kind == "retire":
            open_left_behind(connection, journal.office_id, journal.journal_id, at)
        _close_alarms(connection, journal.journal_id, by=f"{decision.proposed_by} + {by}", at=at)
        _end(connection, decision_id, "agreed", by=by, at=at, booked_count=booked, unbooked_count=unbooked)
        return next(one for one in decisions(connection, journal.journal_id) if one.decision_id == decision_id)

    return in_transaction(engine, work)


def drop(engine: Engine, decision_id: int, *, by: str, clock: Clock) -> None:
    """Drop what was proposed; its own proposer may too. Raises OperatorError `quarantine.no_decision`."""
    with engine.begin() as connection:
        _waiting(connection, decision_id)
        _end(connection, decision_id, "dropped", by=by, at=clock.now())


def _quarantined(connection: Connection, journal_id: str) -> Row[Any]:
    """Return a journal in quarantine that is not retired, and lock it as an exchange does."""
    row = connection.execute(
        select(journals.journal).where(journals.journal.c.journal_id == journal_id).with_for_update()
    ).one_or_none()
    if row is None or row.quarantined_at is None or row.retired_at is not None:
        raise OperatorError("quarantine.not_in_it", journal=journal_id)
    return row


def _who_goes_on(connection: Connection, journal_id: str, is_it: Any) -> Asker:
    found = next((one for one in askers(connection, journal_id) if is_it(one)), None)
    if found is None:
        raise OperatorError("quarantine.no_asker", field="asker")
    if not found.goes_on:
        raise OperatorError("quarantine.goes_elsewhere", field="asker")
    return found


def _asker_of(journal: Row[Any]) -> ColumnElement[bool]:
    table = journals.quarantine_asker.c
    return and_(table.office_id == journal.office_id, table.journal_id == journal.journal_id)


def _waiting(connection: Connection, decision_id: int) -> Row[Any]:
    table = journals.quarantine_decision
    row = connection.execute(
        select(table).where(table.c.decision_id == decision_id, table.c.state == "proposed").with_for_update()
    ).one_or_none()
    if row is None:
        raise OperatorError("quarantine.no_decision")
    return row


def _end(connection: Connection, decision_id: int, state: str, *, by: str, at: datetime, **counts: int) -> None:
    table = journals.quarantine_decision
    connection.execute(
        update(table)
        .where(table.c.decision_id == decision_id)
        .values(state=state, decided_by=by, decided_at=at, **counts)
    )


def _held_of(connection: Connection, journal: Row[Any], asker: Asker) -> frozenset[bytes] | None:
    """Return the held entries with which the asker's log goes on from the main branch, by their leaves.

    None where that cannot be told: not all that it signed is stored.
    """
    table = journals.journal_entry.c
    rows = connection.execute(
        select(table.leaf, table.entry_index, table.data).where(
            table.office_id == journal.office_id,
            table.journal_id == journal.journal_id,
            ~table.on_main,
            table.entry_index >= journal.size,
            table.entry_index < asker.size,
        )
    )
    stored = {row.leaf: row for row in rows}
    main = StoredBranches(
        connection, office=journal.office_id, journal=journal.journal_id, size=journal.size, first=0, end=0
    )
    tips = [leaf for leaf, row in stored.items() if row.entry_index == asker.size - 1]
    for tip in tips:
        branch: list[bytes] = []
        leaf = tip
        while (row := stored.get(leaf)) is not None and row.entry_index == asker.size - 1 - len(branch):
            branch.append(leaf)
            leaf = _prev_of(row.data)
        edge = Frontier.of(journal.size, main.node)
        for one in reversed(branch):
            edge.append(one)
        if (edge.size, edge.root()) == (asker.size, asker.root):
            return frozenset(branch)
    return None if asker.size > journal.size else frozenset()


def _prev_of(data: bytes) -> bytes:
    try:
        return bytes.fromhex(decode_entry(data).prev)
    except (IntegrityError, ValueError):
        return b""


def _book_aside(
    connection: Connection, journal: Row[Any], posting: Posting, *, goes_on: frozenset[bytes] | None
) -> tuple[int, int]:
    """Give the books what stands beside the main branch; return how many entries they booked and how many not.

    What of it `goes_on` joins the main branch by itself with the box's next exchange; None: nobody can say which of
    what is held does.
    """
    context = JournalContext(
        office=journal.office_id, box=journal.box_id, journal=journal.journal_id, public_key=journal.public_key
    )
    table = journals.journal_entry
    wanted = ("fork",) if goes_on is None else ("fork", "held")
    found = connection.execute(
        select(table)
        .where(
            table.c.office_id == journal.office_id,
            table.c.journal_id == journal.journal_id,
            ~table.c.on_main,
            table.c.disposition.in_(wanted),
        )
        .order_by(table.c.entry_index, table.c.leaf)
    ).all()
    rows = [row for row in found if row.leaf not in (goes_on or ())]
    taken = []
    for row in rows:
        accepted = accepted_of(row)
        if accepted is not None and try_post(connection, context, [accepted], posting) is None:
            taken.append(row.leaf)
    of_taken = and_(
        table.c.office_id == journal.office_id, table.c.journal_id == journal.journal_id, table.c.leaf.in_(taken)
    )
    connection.execute(update(table).where(of_taken).values(disposition=BOOKED_ASIDE))
    posted = posted_entry.c
    unposted = connection.execute(
        select(func.count()).where(
            posted.office_id == journal.office_id,
            posted.journal_id == journal.journal_id,
            posted.leaf.in_(taken),
            posted.disposition == "unposted",
        )
    ).scalar_one()
    return len(taken) - unposted, len(rows) - len(taken) + unposted


def _close_alarms(connection: Connection, journal_id: str, *, by: str, at: datetime) -> None:
    alarm = fleet.alarm
    connection.execute(
        update(alarm)
        .where(alarm.c.journal_id == journal_id, alarm.c.kind.in_(ALARMS), alarm.c.closed_at.is_(None))
        .values(closed_at=at, closed_by=by)
    )
