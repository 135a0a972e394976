"""People of a test's office: Sara serves, Reza and Mina are its managers."""

from collections.abc import Iterator
from contextlib import contextmanager

from edge.services.people.sign_in import SignIn
from edge.store.people import MANAGER, OPERATOR, People
from tests.edge.passwords import QUICK_HASHER, quick_verifier_of
from tests.edge.services.office import Office

PASSWORD = "a word of eight letters"


@contextmanager
def people_of(office: Office) -> Iterator[SignIn]:
    """Let the office's people sign in."""
    people = People(office.box.path)
    for username, role in (("sara", OPERATOR), ("reza", MANAGER), ("mina", MANAGER)):
        people.save_operator(username, name=username, verifier=quick_verifier_of(PASSWORD), role=role)
    try:
        yield SignIn(people, office.box.clock, office.box.entropy, office.box.writer.boot, hasher=QUICK_HASHER)
    finally:
        people.close()
