"""People of a test's office: Sara serves, Reza and Mina are its managers."""

from collections.abc import Iterator
from contextlib import contextmanager

from edge.services.sign_in import SignIn, new_verifier
from edge.store.people import MANAGER, OPERATOR, People
from tests.edge.services.office import Office

PASSWORD = "a word of eight letters"
VERIFIER = new_verifier(PASSWORD)


@contextmanager
def people_of(office: Office) -> Iterator[SignIn]:
    """Let the office's people sign in."""
    people = People(office.box.path)
    for username, role in (("sara", OPERATOR), ("reza", MANAGER), ("mina", MANAGER)):
        people.save_operator(username, name=username, verifier=VERIFIER, role=role)
    try:
        yield SignIn(people, office.box.clock, office.box.entropy, office.box.writer.boot)
    finally:
        people.close()
