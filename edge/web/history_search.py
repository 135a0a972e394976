"""What somebody looks for in the history, as demands on its index.

A filter is a field of the form; a search is words of any kind. Letters and digits of every keyboard are one; a word is
looked for as every number that stands on papers, as a part of a transaction's name, and as a person's name.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Final

import msgspec

from edge.journal.finding import (
    BILL_NAMES,
    BILLS,
    RRN_TAIL,
    InquiryGroup,
    Listed,
    PaymentGroup,
    Sought,
    Term,
    amount_term,
    applicant_term,
    bill_payment_term,
    bill_term,
    card_tail_term,
    day_terms,
    listed_term,
    name_term,
    person_term,
    rrn_tail_term,
    rrn_term,
    stan_term,
    tail_term,
    terminal_term,
    ticket_term,
    type_term,
)
from edge.web.kept_searches import PRIVATE
from edge.web.transaction_names import Named, names_with
from shared.calendar import jalali_day_parts, parse_jalali_date
from shared.errors import OperatorError
from shared.money import parse_rial
from shared.plates import parse_motorcycle_plate, parse_plate
from shared.text import fold_number, is_digits, search_key

PAYMENT_GROUPS: Final[tuple[PaymentGroup, ...]] = ("paid", "failed", "review", "under_way", "reversed")
INQUIRY_GROUPS: Final[tuple[InquiryGroup, ...]] = ("review", "waiting", "unpaid", "answered")

_TEXT_MAX: Final = 120
_YEARS: Final = (1348, 1349, *range(1400, 1450))
"""Jalali years that a clock of a box may have shown: of one that was never set, and those that it works in."""
_MONTHS: Final = 12
_DAYS: Final = 31
"""Days that the longest month has; one that a month does not have is in no document."""
_BEGINS_DIGITS: Final = 6
"""Digits that a number has to begin with: fewer begin too many numbers to be of use, or quick."""
_CARD_TAIL: Final = 4
_APPLICANT_DIGITS: Final = 8
_BARCODE_DIGITS: Final = 26
_BILL_DIGITS: Final = 13
_MARKS: Final = str.maketrans("", "", ",،٬٫./'*_-")

Day = tuple[int, int, int]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed and chosen, as it was typed."""

    q: str = ""
    category: str = ""
    name: str = ""
    state: str = ""
    since: str = ""
    until: str = ""
    amount: str = ""
    applicant: str = ""
    rrn: str = ""
    stan: str = ""
    operator: str = ""
    terminal: str = ""
    kind: str = ""
    """What an act is about."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Filters":
        """Return the filters of an address."""
        return cls(**{name: given.get(name, "").strip()[:_TEXT_MAX] for name in cls.__struct_fields__})

    @property
    def is_any(self) -> bool:
        """Whether anything is looked for."""
        return any(msgspec.structs.astuple(self))

    def private(self) -> dict[str, str]:
        """Return those in which a customer's data may stand."""
        return {name: value for name in sorted(PRIVATE) if (value := getattr(self, name))}

    def public(self, **changes: str) -> dict[str, str]:
        """Return those that an address may carry, with changes."""
        values = {**msgspec.structs.asdict(self), **changes}
        return {name: value for name, value in values.items() if value and name not in PRIVATE}

    @property
    def is_more_open(self) -> bool:
        """Whether any of the filters that are folded away is in use."""
        return any((self.amount, self.applicant, self.rrn, self.stan, self.operator, self.terminal))


class Known(msgspec.Struct, frozen=True):
    """What words are looked up in."""

    named: Sequence[Named]
    people: Sequence[tuple[str, str]]
    """Name in entries, name among people."""
    applicant_keys: Callable[[str], tuple[str, ...]]
    this_year: int
    """The Jalali year: nothing is looked for that was done long after it."""
    kinds: Mapping[str, Sequence[str]] = {}
    """Types of entries, by the kind of act that they are."""


class Asked(msgspec.Struct, frozen=True):
    """The demands, and what is wrong with fields that could not be read."""

    sought: Sought
    wrong: dict[str, OperatorError]


@cache
def everything(listed: Listed) -> Asked:
    """Return what asks for all that a page lists."""
    return Asked((_any(listed_term(listed)),), {})


def asked_of(filters: Filters, listed: Listed, known: Known) -> Asked:
    """Return what the filters ask of the index. A field that is wrong asks for nothing."""
    demands: list[tuple[Term, ...]] = [_any(listed_term(listed))]
    wrong: dict[str, OperatorError] = {}
    for field, read in _READERS.items():
        if value := getattr(filters, field):
            try:
                demands.append(read(value, known))
            except OperatorError as error:
                wrong[field] = error
    if filters.since or filters.until:
        try:
            demands.append(_between(filters.since, filters.until, known))
        except OperatorError as error:
            wrong[error.field or "since"] = error
    demands += _words(filters.q, known)
    return Asked(tuple(demands), wrong)


def _any(*terms: str) -> tuple[Term, ...]:
    return tuple(Term(term) for term in dict.fromkeys(terms))


# --- filters --------------------------------------------------------------------------------------------------------


def _category(value: str, known: Known) -> tuple[Term, ...]:
    return _any(*_name_terms(one.name for one in known.named if one.category == value))


def _name_terms(names: Iterable[str]) -> Iterator[str]:
    """Yield the terms of names. All kinds of bills have one together: few terms are found sooner than many."""
    wanted = set(names)
    if wanted >= BILL_NAMES:
        wanted = (wanted - BILL_NAMES) | {BILLS}
    yield from (name_term(name) for name in sorted(wanted))


def _number(term: Callable[[str], str], field: str, value: str, _: Known) -> tuple[Term, ...]:
    digits = fold_number(value)
    if not is_digits(digits):
        raise OperatorError("history.not_digits", field=field)
    return _any(term(digits))


def _amount(value: str, _: Known) -> tuple[Term, ...]:
    return _any(amount_term(parse_rial(value, field="amount")))


def _applicant(value: str, known: Known) -> tuple[Term, ...]:
    forms = _applicant_forms(value)
    if not forms:
        # Says what is wrong with it as a plate.
        parse_plate(value, field="applicant")
    return _any(*(applicant_term(key) for form in forms for key in known.applicant_keys(form)))


def _applicant_forms(value: str) -> list[str]:
    """Return what somebody typed in every form that the applicant of a service may have: plates, and digits as such."""
    forms = []
    for read in (parse_plate, parse_motorcycle_plate):
        try:
            forms.append(read(value))
        except OperatorError:
            continue
    digits = fold_number(value).translate(_MARKS)
    return [*forms, digits] if is_digits(digits) and len(digits) >= _APPLICANT_DIGITS else forms


def _between(since: str, until: str, known: Known) -> tuple[Term, ...]:
    """Return the days from one to another, both included; without one, from the first or to the last there may be."""
    first = _day(since, "since") if since else (_YEARS[0], 1, 1)
    last = _day(until, "until") if until else (min(known.this_year + 1, _YEARS[-1]), _MONTHS, _DAYS)
    if last < first:
        raise OperatorError("history.until_before_since", field="until")
    return _any(*_days(first, last))


def _day(value: str, field: str) -> Day:
    try:
        return jalali_day_parts(parse_jalali_date(value))
    except OperatorError as error:
        raise OperatorError(error.code, field=field, **error.data) from error


def _days(first: Day, last: Day) -> Iterable[str]:
    """Yield terms of whole years, of whole months and of days, as few as cover it."""
    for year in (one for one in _YEARS if first[0] <= one <= last[0]):
        start = first if year == first[0] else (year, 1, 1)
        end = last if year == last[0] else (year, _MONTHS, _DAYS)
        if start[1:] == (1, 1) and end[1:] == (_MONTHS, _DAYS):
            yield day_terms(year, 1, 1)[0]
            continue
        for month in range(start[1], end[1] + 1):
            from_day = start[2] if month == start[1] else 1
            to_day = end[2] if month == end[1] else _DAYS
            if (from_day, to_day) == (1, _DAYS):
                yield day_terms(year, month, 1)[1]
            else:
                yield from (day_terms(year, month, day)[2] for day in range(from_day, to_day + 1))


_READERS: Final[dict[str, Callable[[str, Known], tuple[Term, ...]]]] = {
    "category": _category,
    "name": lambda value, _: _any(name_term(value)),
    "state": lambda value, _: _any(f"s_{value}"),
    "amount": _amount,
    "applicant": _applicant,
    "rrn": partial(_number, rrn_term, "rrn"),
    "stan": partial(_number, stan_term, "stan"),
    "operator": lambda value, _: _any(person_term(value)),
    "terminal": lambda value, _: _any(terminal_term(value)),
    "kind": lambda value, known: _any(*(type_term(one) for one in known.kinds.get(value, ()))),
}


# --- words ----------------------------------------------------------------------------------------------------------


def _words(text: str, known: Known) -> list[tuple[Term, ...]]:
    """Return a demand for each word; a plate, written in pieces, is one."""
    folded = search_key(text)
    if not is_digits(folded):
        try:
            plate = parse_plate(text)
        except OperatorError:
            pass
        else:
            return [_any(*(applicant_term(key) for key in known.applicant_keys(plate)))]
    return [_word(word, known) for word in folded.split()]


def _word(word: str, known: Known) -> tuple[Term, ...]:
    digits = word.translate(_MARKS)
    if is_digits(digits):
        return (*_number_terms(digits, known), *_date_terms(word))
    names = _name_terms(names_with(word, known.named))
    people = (person_term(name) for name, called in known.people if word in search_key(f"{name} {called}"))
    return _any(*names, *people)


def _date_terms(word: str) -> tuple[Term, ...]:
    try:
        return _any(day_terms(*jalali_day_parts(parse_jalali_date(word)))[2])
    except OperatorError:
        return ()


def _number_terms(digits: str, known: Known) -> tuple[Term, ...]:
    """Return every number of a paper that these digits may be, or that begins with them."""
    if len(digits) == _BARCODE_DIGITS:
        return _any(bill_term(digits[:_BILL_DIGITS]))
    exact = [
        stan_term(digits),
        rrn_term(digits),
        bill_term(digits),
        bill_payment_term(digits),
        ticket_term(int(digits)),
    ]
    # People say an amount in toman as often as in rial.
    exact += [amount_term(int(digits)), amount_term(int(digits) * 10), tail_term(digits)]
    if len(digits) == _CARD_TAIL:
        exact.append(card_tail_term(digits))
    if len(digits) == RRN_TAIL:
        exact.append(rrn_tail_term(digits))
    if len(digits) >= _APPLICANT_DIGITS:
        exact += [applicant_term(key) for key in known.applicant_keys(digits)]
    # Zeros at the beginning are in too many numbers.
    begins = (rrn_term, bill_term, bill_payment_term) if len(digits.lstrip("0")) >= _BEGINS_DIGITS else ()
    return (*_any(*exact), *(Term(term(digits), begins=True) for term in begins))
