"""Taking a copy of the journal away, as a manager presses it."""

import pytest

from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import PASSWORD, FakeCounter


async def test_a_manager_takes_a_copy_as_a_file(operator: Browser, counter: FakeCounter):
    assert "/journal" in (await operator.page("/about")).source
    taken = await operator.send("/journal", "/journal", first="۲", last="", username="mina", password=PASSWORD)
    assert taken.status_code == 200
    assert taken.content == b"a whole journal"
    assert taken.headers["content-disposition"] == 'attachment; filename="journal.zip"'
    assert taken.headers["content-type"].startswith("application/zip")
    assert counter.asked == [("export", "2-None")]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"username": "sara", "password": PASSWORD}, 403, "سرپرست دفتر"),
        ({"username": "mina", "password": "wrong-word-77"}, 401, "کلمهٔ رمز"),
        ({"username": "mina", "password": PASSWORD, "first": "nowhere"}, 422, "ثبت"),
    ],
)
async def test_whoever_may_not_or_asks_for_what_is_not_there_hears_so_on_the_form(
    operator: Browser, counter: FakeCounter, fields: dict[str, str], status: int, words: str
):
    answer = await operator.send("/journal", "/journal", **fields)
    assert answer.status_code == status
    page = Page(answer.text)
    assert words in page.text
    assert page.field("username")["value"] == fields["username"]
    assert fields["password"] not in answer.text
    assert counter.asked == []
