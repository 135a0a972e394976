"""The technician's page: only a manager's, and what it shows and hands over."""

import tomllib

import msgspec
import pytest

from edge.devices.scan import FoundDevice
from edge.services.devices.find_devices import Search
from edge.services.devices.try_devices import DeviceTest
from edge.store.people import OperatorView
from shared.errors import DeviceError
from tests.edge.web.conftest import Browser, Page
from tests.edge.web.fake_counter import AT, FakeCounter

FOUND = (
    FoundDevice(kind="terminal", address="tcp://192.168.1.20:1024", text="SADAD PC POS", models=("sadad/pax",)),
    FoundDevice(
        kind="terminal",
        address="serial:///dev/serial/by-id/usb-X-if00",
        text="USB 11ca:0300",
        models=("pna/pcpos", "sadad/pax"),
        error=DeviceError("profile.ambiguous", said="USB 11ca:0300", names="pna/pcpos, sadad/pax"),
    ),
    FoundDevice(kind="printer", address="tcp://192.168.1.22:9100", port_only=True),
)


@pytest.fixture
def manager(operator: Browser, counter: FakeCounter) -> Browser:
    """The operator, signed in, as a manager."""
    for token, person in counter.sessions.items():
        counter.sessions[token] = OperatorView(username=person.username, name=person.name, role="manager")
    return operator


async def test_only_a_manager_has_the_page(operator: Browser, counter: FakeCounter):
    assert (await operator.get("/devices")).status_code == 403
    assert (await operator.get("/devices/live")).status_code == 403
    assert not (await operator.page("/")).all("a", href="/devices")
    assert (await operator.client.post("/devices/diagnosis", data={"to": "file"})).status_code == 403
    assert (await operator.client.post("/devices/search")).status_code == 403
    assert counter.asked == []


async def test_a_search_is_begun_and_the_network_is_tried_only_when_asked_for(manager: Browser, counter: FakeCounter):
    assert "192.168.1.0/24" in (await manager.page("/devices")).text
    assert (await manager.page("/")).all("a", href="/devices")
    await manager.send("/devices", "/devices/search")
    await manager.send("/devices", "/devices/search", network="yes")
    assert counter.asked == [("search", "ports"), ("search", "network")]


async def test_what_is_found_is_matched_or_said_to_be_ambiguous_with_what_to_write(
    manager: Browser, counter: FakeCounter
):
    counter.finding.search = Search(step="network", at=AT, percent=40, found=FOUND, unheard=(100,))
    page = await manager.page("/devices")
    assert "شبکهٔ دفتر آزموده می‌شود… ۴۰٪" in page.text
    assert "همین حالا در تنظیمات است" in page.text
    assert "با چند مدل جور است: pna/pcpos, sadad/pax" in page.text
    assert "این درگاه باز است" in page.text
    lines = [block.split("</pre>")[0] for block in page.source.split("<pre")[1:]]
    written = [tomllib.loads(line.split(">", 1)[1].replace("&#34;", '"')) for line in lines]
    assert [list(table) for table in written] == [["terminals"], ["printer"]], "one is in use already"


async def test_a_found_device_is_tried_and_its_result_is_shown(manager: Browser, counter: FakeCounter):
    counter.finding.search = Search(step="done", at=AT, found=FOUND[1:2])
    address = FOUND[1].address
    answer = await manager.send("/devices", "/devices/try", address=address, model="pna/pcpos")
    assert answer.status_code == 303
    assert counter.asked == [("try", f"{address} pna/pcpos")]
    counter.finding.tests[address] = DeviceTest(what="status", state="good", at=AT, took_ms=80)
    assert "پاسخ داد و آماده است" in (await manager.page("/devices/live")).text
    assert (await manager.send("/devices", "/devices/try", address="tcp://1.1.1.1:1", model="a")).status_code == 404


async def test_the_printer_is_asked_and_prints_a_test_page(manager: Browser, counter: FakeCounter):
    await manager.send("/devices", "/devices/printer", what="status")
    await manager.send("/devices", "/devices/printer", what="page")
    assert counter.asked == [("test", "printer"), ("test page", "printer")]
    ended = DeviceTest(what="page", state="bad", at=AT, took_ms=9, printer_status="paper_end", paper="not_printed")
    counter.tests["the printer"] = ended
    assert "برگه چاپ نشد" in (await manager.page("/devices")).text
    counter.tests["the printer"] = msgspec.structs.replace(ended, state="good", printer_status="ok", paper="printed")
    assert "برگه چاپ شد" in (await manager.page("/devices")).text


async def test_a_terminal_tested_here_brings_back_here(manager: Browser, counter: FakeCounter):
    answer = await manager.send("/devices", "/terminal/test", terminal="counter-1")
    assert answer.headers["location"] == "/devices"
    assert counter.asked == [("test", "counter-1")]


async def test_what_support_needs_comes_as_a_file_or_onto_a_stick(manager: Browser, counter: FakeCounter):
    answer = await manager.send("/devices", "/devices/diagnosis", to="file")
    assert answer.content == b"all of it"
    assert answer.headers["content-disposition"] == 'attachment; filename="diagnosis.zip"'
    missing = await manager.send("/devices", "/devices/diagnosis", to="stick")
    assert missing.status_code == 422
    assert "حافظهٔ USB نوشتنی پیدا نشد" in Page(missing.text).text
    counter.support.stick = "/media/stick"
    written = await manager.send("/devices", "/devices/diagnosis", to="stick")
    assert "/media/stick/diagnosis.zip" in Page(written.text).text
    assert len(Page(written.text).all("h1")) == 1


@pytest.mark.parametrize("language", ["fa", "en"])
async def test_the_page_is_whole_in_both_languages(manager: Browser, counter: FakeCounter, language: str):
    counter.finding.search = Search(step="done", at=AT, found=FOUND, unheard=(100,))
    await manager.send("/", "/language", language=language)
    page = await manager.page("/devices")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {found["for"] for found in page.all("label") if "for" in found}
    assert {found["id"] for found in page.all("select")} <= named
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
