"""What an office's manager may permit a person, and may take from them: services of the catalogue, and these acts."""

from typing import Final

SERVICE: Final = "service:"
"""What the act of selling a service begins with; its code in the catalogue follows."""
COMMAND_LINE: Final = "box:"
"""Stands in entries for whoever did something, where it was done at the box's command line."""
EVERYTHING: Final = "*"
"""Stands for all acts, and for services that the catalogue does not have yet."""

ACTS_TEXT: Final = """\
bills          take the payment of one bill
group_bills    take the payments of several bills together
bill_inquiry   ask what a subscriber owes
history        see the payments and inquiries of the whole office, and print copies
every_act      see what everybody did
day_close      close the day
refunds        ask for money to be given back; a manager agrees
atm            the office's cash machines
"""
"""Acts that are no service of the catalogue, in the order a manager reads them, and what each is."""
ACTS: Final = tuple(line.split()[0] for line in ACTS_TEXT.splitlines())


def service_act(code: str) -> str:
    """Return the act of selling a service."""
    return f"{SERVICE}{code}"


def is_act(act: str) -> bool:
    """Return whether a word names an act, of a service or another one."""
    return act in ACTS or (act.startswith(SERVICE) and len(act) > len(SERVICE))
