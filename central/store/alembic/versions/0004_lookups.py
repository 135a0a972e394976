"""Indexes for what people look up: a payment by any of its numbers, breaks of a run, what stands aside or waits."""

from alembic import op

revision = "0004_lookups"
down_revision = "0003_people"

_INDEXES = """
CREATE INDEX office_payment_by_name ON office_payment USING gin (
    (ARRAY[payment_id, rrn, stan, terminal_number, bill_id, bill_payment_id, inquiry_id, reference])
);
CREATE INDEX office_payment_of_office ON office_payment (office_id, ordinal);
CREATE INDEX office_payment_by_state ON office_payment (state, ordinal);
CREATE INDEX office_payment_by_confirmation ON office_payment (confirmation, ordinal);
CREATE INDEX office_payment_by_received_at ON office_payment (received_at);
CREATE INDEX recon_decision_breaks ON recon_decision (run_id, number) WHERE is_break;
CREATE INDEX ix_journal_entry_aside ON journal_entry (office_id, journal_id) WHERE NOT on_main;
CREATE INDEX ix_journal_entry_not_booked ON journal_entry (office_id, journal_id, entry_index)
    WHERE disposition IN ('posting_failed', 'unknown_type');
CREATE INDEX ix_journal_entry_index ON journal_entry (journal_id, entry_index);
CREATE INDEX posted_entry_unposted ON posted_entry (office_id, journal_id, entry_index)
    WHERE disposition = 'unposted';
CREATE INDEX ix_alarm_journal_id ON alarm (journal_id);
"""


def upgrade() -> None:
    """Make the indexes."""
    op.execute(_INDEXES)
