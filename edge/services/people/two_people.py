"""What takes two people: whoever asked for it, and a manager who agrees and is another person.

A program asks in the name of the person its token was made for. One that was made for nobody may ask, but its asking
counts as nobody's: a manager who holds such a token would otherwise be both.
"""

from edge.store.people import PROGRAM
from shared.errors import OperatorError


def person_behind(operator: str) -> str | None:
    """Return the user name of whoever did what an entry says `operator` did; None: a program of nobody."""
    if not operator.startswith(PROGRAM):
        return operator
    return operator.removeprefix(PROGRAM).partition("/")[2] or None


def check_two(asked_by: str, agrees: str, **facts: str) -> None:
    """Check that a manager agrees to what another person asked for.

    Raises OperatorError `refund.same_person`, `refund.nobody_asked`.
    """
    person = person_behind(asked_by)
    if person is None:
        raise OperatorError("refund.nobody_asked", program=asked_by.removeprefix(PROGRAM), **facts)
    if person == agrees:
        raise OperatorError("refund.same_person", **facts)
