"""Give a manager a copy of the journal from the running box: the entries, the verifier, and how to use it.

Who took it is an entry of the journal, the last one of a copy of the whole. A journal that takes no entries any more,
closed or not sound, is copied all the same: then above all somebody has to look at it.
"""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec
import structlog

from edge.journal.export import export_lines
from edge.journal.signer import Signer
from edge.journal.stick import files_of
from edge.journal.views import Identity
from edge.journal.writer import JournalWriter, StoreView
from edge.journal.zipped import zipped
from edge.services.people.sign_in import SignIn
from edge.store.queries import Queries
from shared.errors import DeviceError, IntegrityError, OperatorError
from shared.events import Body, JournalExported
from shared.journal.note import NoteKey

_log = structlog.get_logger()


class JournalCopy(msgspec.Struct, frozen=True):
    """A copy on its way: a ZIP archive as pieces. Reading them blocks; another thread does it."""

    name: str
    pieces: Iterator[bytes]


class ExportJournal:
    """Hands out copies."""

    def __init__(
        self, writer: JournalWriter, queries: Queries, identity: Identity, signer: Signer, sign_in: SignIn
    ) -> None:
        self._writer = writer
        self._queries = queries
        self._identity = identity
        self._signer = signer
        self._sign_in = sign_in

    async def export(self, first: int, last: int | None, *, username: str, password: str) -> JournalCopy:
        """Return the entries `first` to `last` (included; None: the newest), with all that an auditor needs.

        Raises OperatorError `export.no_such_range`, or as `SignIn.manager` does.
        """
        person = await self._sign_in.manager(username, password)
        size = self._queries.size()
        if not 0 <= first < size or not first <= (first if last is None else last) < size:
            raise OperatorError("export.no_such_range", first=first, last=size - 1 if last is None else last, size=size)

        def decide(view: StoreView) -> Sequence[Body]:
            if view.closed_at() is not None:
                return []
            return [JournalExported(first=first, last=last, operator=person.username)]

        try:
            await self._writer.commit(decide)
        except (DeviceError, IntegrityError) as error:
            _log.warning("a copy that is not journaled", first=first, last=last, by=person.username, code=error.code)
        exported = await asyncio.to_thread(
            export_lines,
            self._queries,
            self._identity,
            self._signer,
            cosigned=self._queries.cosigned_note(),
            first=first,
            last=last,
        )
        central = self._identity.central
        files = files_of(
            exported,
            journal=self._identity.journal_id,
            key=NoteKey(self._identity.journal_id, self._signer.public_key).text(),
            witness="" if central is None else central.trust.witness,
        )
        return JournalCopy(name=files[0][0].removesuffix(".jsonl") + ".zip", pieces=zipped(files))
