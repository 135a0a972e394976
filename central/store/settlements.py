"""Tables of settlement: the files acquirers sent, and the runs that compared them with what offices recorded.

Rows of these are never changed or deleted (triggers refuse). Amounts are whole rials in `bigint`; times are central's
own (`timestamptz`), dates are days in Iran as the acquirer wrote them.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from central.store.metadata import METADATA

_INSTANT: Final = DateTime(timezone=True)

settlement_file: Final = Table(
    "settlement_file",
    METADATA,
    Column("file_id", Text, primary_key=True),
    Column("ordinal", BigInteger, Identity(always=True), nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("total_rial", BigInteger, nullable=False),
    Column("financial_from", Date, nullable=False),
    Column("financial_to", Date, nullable=False),
    Column("imported_at", _INSTANT, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("copy", Integer, nullable=False, server_default="1"),
    UniqueConstraint("sha256", "copy"),
)
"""Imported files. The same bytes stand a second time (`copy`) only after the first was corrected by another file."""

settlement_correction: Final = Table(
    "settlement_correction",
    METADATA,
    Column("file_id", Text, primary_key=True),
    Column("by_file_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("corrected_by", Text, nullable=False),
    Column("corrected_at", _INSTANT, nullable=False),
    ForeignKeyConstraint(["file_id"], ["settlement_file.file_id"]),
    ForeignKeyConstraint(["by_file_id"], ["settlement_file.file_id"]),
    Index("settlement_correction_by_file", "by_file_id"),
)
"""Files that another one corrects: their rows are kept, and count for nothing."""


def in_force(file_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the file of this id is corrected by no other."""
    return ~select(settlement_correction.c.file_id).where(settlement_correction.c.file_id == file_id).exists()


settlement_line: Final = Table(
    "settlement_line",
    METADATA,
    Column("file_id", Text, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("psp", Text, nullable=False),
    Column("rrn", Text, nullable=False),
    Column("stan", Text, nullable=False),
    Column("terminal_id", Text, nullable=False),
    Column("merchant_id", Text, nullable=False),
    Column("pan_masked", Text, nullable=False),
    Column("amount_rial", BigInteger, nullable=False),
    Column("local_date", Date, nullable=False),
    Column("local_time", Text, nullable=False),
    Column("financial_date", Date, nullable=False),
    Column("cycle", Text, nullable=False),
    Column("iban", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("original_rrn", Text, nullable=False),
    Column("service_code", Text, nullable=False),
    Column("share_of", Text, nullable=False),
    Column("row_no", Text, nullable=False),
    PrimaryKeyConstraint("file_id", "line_number"),
    ForeignKeyConstraint(["file_id"], ["settlement_file.file_id"]),
    CheckConstraint("amount_rial > 0", name="amount_positive"),
    Index("settlement_line_by_rrn", text("ltrim(terminal_id, '0')"), text("ltrim(rrn, '0')")),
    Index("settlement_line_by_original", text("ltrim(terminal_id, '0')"), text("ltrim(original_rrn, '0')")),
    Index("settlement_line_by_share", text("ltrim(terminal_id, '0')"), text("ltrim(share_of, '0')")),
    Index("settlement_line_by_stan", text("ltrim(terminal_id, '0')"), text("ltrim(stan, '0')")),
    Index("settlement_line_by_financial_date", "financial_date"),
)
"""Rows of acquirers' files, as printed, folded; `line_number` is the line in the file, the header being line 1."""

settlement_reach: Final = Table(
    "settlement_reach",
    METADATA,
    Column("file_id", Text, nullable=False),
    Column("psp", Text, nullable=False),
    Column("financial_to", Date, nullable=False),
    PrimaryKeyConstraint("file_id", "psp"),
    ForeignKeyConstraint(["file_id"], ["settlement_file.file_id"]),
)
"""The last financial date that each file has of each acquirer."""

acquirer_terminal: Final = Table(
    "acquirer_terminal",
    METADATA,
    Column("terminal", Text, nullable=False),
    Column("psp", Text, nullable=False),
    PrimaryKeyConstraint("terminal", "psp"),
)
"""Whose rows ever named a terminal, without its leading zeros: one acquirer, or it is not known whose it is."""

recon_run: Final = Table(
    "recon_run",
    METADATA,
    Column("run_id", BigInteger, Identity(always=True), primary_key=True),
    Column("started_at", _INSTANT, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("scope", JSONB, nullable=False),
    Column("rules", JSONB, nullable=False),
    Column("payments_sha256", LargeBinary, nullable=False),
    Column("lines_sha256", LargeBinary, nullable=False),
    Column("result_sha256", LargeBinary, nullable=False),
    Column("payment_count", Integer, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("office_rial", BigInteger, nullable=False),
    Column("acquirer_rial", BigInteger, nullable=False),
    Column("break_count", Integer, nullable=False),
    Column("settled_count", Integer, nullable=False),
)

recon_bucket: Final = Table(
    "recon_bucket",
    METADATA,
    Column("run_id", BigInteger, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("decision_count", Integer, nullable=False),
    Column("payment_count", Integer, nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("office_rial", BigInteger, nullable=False),
    Column("acquirer_rial", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_id", "bucket"),
    ForeignKeyConstraint(["run_id"], ["recon_run.run_id"]),
)

recon_decision: Final = Table(
    "recon_decision",
    METADATA,
    Column("run_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("is_break", Boolean, nullable=False),
    Column("office_rial", BigInteger, nullable=False),
    Column("acquirer_rial", BigInteger, nullable=False),
    Column("break_key", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "number"),
    ForeignKeyConstraint(["run_id"], ["recon_run.run_id"]),
    Index("recon_decision_by_bucket", "run_id", "bucket", "number"),
    Index("recon_decision_by_break", "break_key"),
    Index("recon_decision_breaks", "run_id", "number", postgresql_where=text("is_break")),
)

recon_member: Final = Table(
    "recon_member",
    METADATA,
    Column("run_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("place", SmallInteger, nullable=False),
    Column("side", Text, nullable=False),
    Column("office_id", Text),
    Column("payment_id", Text),
    Column("file_id", Text),
    Column("line_number", Integer),
    Column("value_rial", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_id", "number", "side", "place"),
    ForeignKeyConstraint(["run_id", "number"], ["recon_decision.run_id", "recon_decision.number"]),
    CheckConstraint("side IN ('office', 'acquirer')", name="side_word"),
    # Each payment and each line stands in one decision of a run: the database holds the rule too.
    Index(
        "recon_member_payment_once",
        "run_id",
        "office_id",
        "payment_id",
        unique=True,
        postgresql_where=text("side = 'office'"),
    ),
    Index(
        "recon_member_line_once",
        "run_id",
        "file_id",
        "line_number",
        unique=True,
        postgresql_where=text("side = 'acquirer'"),
    ),
    Index("recon_member_by_payment", "office_id", "payment_id"),
    Index("recon_member_by_line", "file_id", "line_number"),
)
