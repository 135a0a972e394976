"""The index by which history is found: terms of `edge.journal.finding`, a document for each entry that a page lists.

Full text of SQLite, for what it does with many terms of a million documents: one small write for each that changes,
newest first, any of these and all of those. It keeps no text and no places in it, only which entry has which term.
What was written into it has to be named again to be taken out: it is all in the tables beside it.
"""

from typing import Final

FINDING_PROJECTED: Final = (
    """CREATE VIRTUAL TABLE finding USING fts5 (
        terms, content = '', detail = none, columnsize = 0, tokenize = "ascii tokenchars '_'"
    )""",
    # Its own pages are rows of a table: with SQLite's 4,050 bytes each would lie in three of the file's.
    "INSERT INTO finding (finding, rank) VALUES ('pgsz', 2000)",
)
