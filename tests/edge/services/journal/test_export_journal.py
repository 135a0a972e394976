import io
import zipfile
from pathlib import Path

import pytest

from edge.devices.virtual.terminal import VirtualTerminal
from edge.services.journal.export_journal import ExportJournal
from edge.services.people.sign_in import SignIn
from shared.errors import IntegrityError, OperatorError
from shared.journal.export import verify_export
from tests.edge.services.office import Office
from tests.edge.services.office_people import PASSWORD, people_of


def exporting(office: Office, sign_in: SignIn) -> ExportJournal:
    return ExportJournal(office.box.writer, office.box.queries, office.box.identity, office.box.signer, sign_in)


async def taken(office: Office, first: int = 0, last: int | None = None) -> tuple[str, dict[str, bytes]]:
    with people_of(office) as sign_in:
        copy = await exporting(office, sign_in).export(first, last, username="reza", password=PASSWORD)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(copy.pieces)))
    return copy.name, {name: archive.read(name) for name in archive.namelist()}


async def test_a_copy_of_the_running_box_is_checked_by_anybody_and_ends_with_who_took_it(office: Office) -> None:
    office.virtual.set_auto("approve")
    assert await office.ends(await office.pay())
    name, files = await taken(office)
    size = office.box.queries.size()
    assert office.kinds()[-1] == "journal.exported"
    assert name.endswith(f"-0-{size - 1}.zip")
    (journal,) = [data for name, data in files.items() if name.endswith(".jsonl")]
    assert {"daftar_verify.py", "README.txt"} < set(files)
    report = verify_export(journal.decode().splitlines(), office.box.signer.public_key, None)
    assert (report.holds, report.size) == (True, size)


async def test_a_range_is_a_copy_too_and_one_that_is_not_there_is_refused_before_anything_is_journaled(
    office: Office,
) -> None:
    size = office.box.queries.size()
    with people_of(office) as sign_in:
        for first, last in ((0, size), (size, None), (1, 0)):
            with pytest.raises(OperatorError, match=r"export\.no_such_range"):
                await exporting(office, sign_in).export(first, last, username="reza", password=PASSWORD)
        with pytest.raises(OperatorError, match=r"auth\.manager_needed"):
            await exporting(office, sign_in).export(0, None, username="sara", password=PASSWORD)
    assert office.box.queries.size() == size
    _, files = await taken(office, 1, 1)
    (journal,) = [data for name, data in files.items() if name.endswith("-1-1.jsonl")]
    report = verify_export(journal.decode().splitlines(), office.box.signer.public_key, None)
    assert (report.holds, report.size) == (True, 1)


async def test_a_journal_that_takes_nothing_is_copied_all_the_same(tmp_path: Path, terminal: VirtualTerminal) -> None:
    async with Office(tmp_path, terminal) as office:
        size = office.box.queries.size()
        office.box.writer.seal(IntegrityError("journal.unsound"))
        _, files = await taken(office)
        assert office.box.queries.size() == size
        assert any(name.endswith(f"-0-{size - 1}.jsonl") for name in files)
