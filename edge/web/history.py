"""Pages of the history: what the index finds, newest first, by cursor. Rows never move while somebody reads them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from edge.journal.finding import Sought
from edge.web.ports.history import History
from shared.text import fold_number, is_digits

PAGE_ROWS: Final = 20
PAGES_AHEAD: Final = 5
"""Pages behind the one shown that are counted: that there are more is said, not how many."""
_BATCH_ROWS: Final = 500
_INDEX_DIGITS_MAX: Final = 16
"""More would not fit the integers of the store."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Requested(Protocol):
    """Something that was requested."""

    @property
    def requested_index(self) -> int:
        """The entry that requested it."""


R = TypeVar("R", bound=Requested)


class Found(msgspec.Struct, Generic[T_co], frozen=True, kw_only=True):
    """A page. `older` is the cursor of the next one, None at the end."""

    rows: Sequence[T_co]
    first_row: int
    older: int | None
    page: int
    pages: int
    """All pages, as far as they were counted."""
    is_counted: bool
    """Whether they were counted to the end."""

    @property
    def next_row(self) -> int:
        """The number of the next page's first row."""
        return self.first_row + PAGE_ROWS


def nothing() -> "Found[Any]":
    """Return a page of nothing."""
    return Found(rows=[], first_row=1, older=None, page=1, pages=1, is_counted=True)


def number_of(value: str) -> int | None:
    """Return a number of an address; what is none counts as none given."""
    digits = fold_number(value)
    return int(digits) if is_digits(digits) and len(digits) < _INDEX_DIGITS_MAX else None


def find_page(
    history: History,
    sought: Sought,
    read: Callable[[Sequence[int]], Sequence[T]],
    *,
    before_index: int | None,
    first_row: int = 1,
) -> Found[T]:
    """Return the page that begins before an entry."""
    page = (first_row - 1) // PAGE_ROWS + 1
    ahead = PAGE_ROWS * PAGES_AHEAD
    found = history.find(sought, before_index, ahead + 1)
    behind = min(len(found), ahead) - PAGE_ROWS
    return Found(
        rows=read(found[:PAGE_ROWS]),
        first_row=first_row,
        older=found[PAGE_ROWS - 1] if behind > 0 else None,
        page=page,
        pages=page + max(0, -(-behind // PAGE_ROWS)),
        is_counted=len(found) <= ahead,
    )


def sift_page(
    history: History,
    sought: Sought,
    read: Callable[[Sequence[int]], list[R]],
    keep: Callable[[R], bool],
    *,
    before_index: int | None,
    first_row: int = 1,
) -> Found[R]:
    """Return the page of what `keep` lets pass, where the index alone finds too much."""
    page = (first_row - 1) // PAGE_ROWS + 1
    found = history.find(sought, before_index, PAGE_ROWS + 1)
    rows, older = _sifted(history, sought, read, keep, found)
    return Found(
        rows=rows,
        first_row=first_row,
        older=older,
        page=page,
        pages=page if older is None else page + 1,
        is_counted=older is None,
    )


def _sifted(
    history: History,
    sought: Sought,
    read: Callable[[Sequence[int]], list[R]],
    keep: Callable[[R], bool],
    found: Sequence[int],
) -> tuple[list[R], int | None]:
    """Return a page of the rows that are kept, and the cursor behind them. Few are sifted out, so little is read."""
    rows: list[R] = []
    while found:
        for row in read(found):
            if not keep(row):
                continue
            if len(rows) == PAGE_ROWS:
                return rows, row.requested_index + 1
            rows.append(row)
        found = history.find(sought, found[-1], PAGE_ROWS)
    return rows, None


def walk(history: History, sought: Sought, read: Callable[[Sequence[int]], list[T]]) -> Iterator[list[T]]:
    """Yield all that is found, in batches: memory does not grow with how much that is."""
    before: int | None = None
    while found := history.find(sought, before, _BATCH_ROWS):
        yield read(found)
        before = found[-1]
