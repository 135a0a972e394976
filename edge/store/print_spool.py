"""The print spool: papers that wait, are at the printer, came out, or may have. Outside the journal.

Rows are added and moved inside the journal's transactions, so that an approval and its receipt's place in the spool are
one commit, and so are the printer's word and `receipt.printed`.
"""

import apsw

from edge.journal.views import PrintJob, PrintState
from shared.errors import BugError


def add(connection: apsw.Connection, job: PrintJob) -> None:
    """Put a job at the end of the spool."""
    connection.execute(
        "INSERT INTO print_job (job_id, document, about, copy, state, attempts, last_status) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (job.job_id, job.document, job.about, int(job.copy), job.state, job.attempts, job.last_status),
    )


def mark(connection: apsw.Connection, job_id: str, state: PrintState, last_status: str | None) -> None:
    """Move a job on; each move to `printing` is an attempt. Raises BugError `print.no_such_job`."""
    connection.execute(
        "UPDATE print_job SET state = ?, last_status = ?, attempts = attempts + ? WHERE job_id = ?",
        (state, last_status, int(state == "printing"), job_id),
    )
    if connection.changes() == 0:
        raise BugError("print.no_such_job", job_id=job_id)
