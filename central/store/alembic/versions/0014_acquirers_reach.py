"""Which acquirer a terminal is of, and how far the files of each reach."""

from alembic import op

revision = "0014_acquirers_reach"
down_revision = "0013_answers_awaited"

_TABLES = """
CREATE TABLE settlement_reach (
    file_id text NOT NULL,
    psp text NOT NULL,
    financial_to date NOT NULL,
    CONSTRAINT pk_settlement_reach PRIMARY KEY (file_id, psp),
    CONSTRAINT fk_settlement_reach_file_id_settlement_file FOREIGN KEY (file_id) REFERENCES settlement_file (file_id)
);
INSERT INTO settlement_reach SELECT file_id, psp, max(financial_date) FROM settlement_line GROUP BY file_id, psp;

CREATE TABLE acquirer_terminal (
    terminal text NOT NULL,
    psp text NOT NULL,
    CONSTRAINT pk_acquirer_terminal PRIMARY KEY (terminal, psp)
);
INSERT INTO acquirer_terminal
    SELECT DISTINCT ltrim(terminal_id, '0'), psp FROM settlement_line WHERE ltrim(terminal_id, '0') <> '';
"""


def upgrade() -> None:
    """Make the tables and fill them from the rows that are there."""
    op.execute(_TABLES)
