"""Devices as a technician sees them: what is set up, tested; what is connected, found; what support needs, handed over.

No test is a transaction, nothing here changes a setting: what is to be written into box.toml is shown, to be copied.
"""

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect, Stream

from edge.web.error_pages import status_of
from edge.web.guards import manager_only, own_form, signed_in
from edge.web.ports.devices import DeviceTest
from edge.web.rendering import AnyRequest, Web, language_of, page, part
from shared.error_texts import describe
from shared.errors import DaftarError
from shared.text import Language


def tested(test: DeviceTest | None, language: Language) -> dict[str, Any] | None:
    """Return a test as a page shows it: the test, and in words what was wrong."""
    if test is None:
        return None
    return {"test": test, "said": describe(test.error, language) if test.error else None}


def _facts(web: Web, request: AnyRequest) -> dict[str, Any]:
    """Return what the page shows beside the header's facts."""
    language, counter, finding = language_of(request), web.counter, web.counter.finding
    rows = [
        {
            "device": found,
            "in_use": finding.is_in_use(found.address),
            "said": describe(found.error, language) if found.error else None,
            "lines": finding.lines(found.address),
            "tested": tested(finding.test_of(found.address), language),
            "models": _models(finding.terminal_models, finding.printer_models, found.kind),
        }
        for found in finding.search.found
    ]
    return {
        "search": finding.search,
        "rows": rows,
        "networks": finding.networks(),
        "tests": {one.name: tested(counter.terminal_test(one.name), language) for one in counter.terminals()},
        "printer_tested": tested(counter.printer_test(), language),
    }


def _models(terminals: list[str], printers: list[str], kind: str) -> list[str]:
    return terminals if kind == "terminal" else printers if kind == "printer" else [*terminals, *printers]


def _page(web: Web, request: AnyRequest, *, status_code: int = 200, **context: Any) -> Response[str]:
    wanted = {"problem_of": None, "written": None, **context}
    return page(
        web,
        request,
        "devices.html",
        status_code=status_code,
        live_part="devices_live.html",
        **_facts(web, request),
        **wanted,
    )


def device_pages(web: Web) -> list[Any]:
    """Return the handlers."""

    @post("/terminal/test", guards=[signed_in, own_form])
    async def test_terminal(request: AnyRequest) -> Redirect:
        form = await request.form()
        name = str(form.get("terminal", ""))
        await web.counter.test_terminal(name)
        place = [terminal.name for terminal in web.counter.terminals()].index(name) + 1
        back = "/devices" if form.get("back") == "devices" else f"/terminal#terminal-{place}"
        return Redirect(back, status_code=303)

    @get("/devices", guards=[manager_only])
    async def devices(request: AnyRequest) -> Response[str]:
        return _page(web, request)

    @get("/devices/live", guards=[manager_only])
    async def devices_live(request: AnyRequest) -> Response[str]:
        return part(web, request, "devices_live.html", **_facts(web, request))

    @post("/devices/printer", guards=[manager_only, own_form])
    async def test_printer(request: AnyRequest) -> Redirect:
        await web.counter.test_printer(page=(await request.form()).get("what") == "page")
        return Redirect("/devices#printer", status_code=303)

    @post("/devices/search", guards=[manager_only, own_form])
    async def search(request: AnyRequest) -> Redirect:
        await web.counter.finding.start(network=(await request.form()).get("network") == "yes")
        return Redirect("/devices#found", status_code=303)

    @post("/devices/try", guards=[manager_only, own_form])
    async def try_found(request: AnyRequest) -> Redirect:
        form = await request.form()
        await web.counter.finding.try_found(str(form.get("address", "")), str(form.get("model", "")))
        return Redirect("/devices#found", status_code=303)

    @post("/devices/diagnosis", guards=[manager_only, own_form], status_code=200)
    async def diagnosis(request: AnyRequest) -> Response[Any]:
        if (await request.form()).get("to") == "stick":
            try:
                written = await web.counter.support.to_stick()
            except DaftarError as error:
                said = describe(error, language_of(request))
                return _page(web, request, status_code=status_of(error), problem_of={"said": said})
            return _page(web, request, written=written)
        archive = web.counter.support.archive()
        return Stream(
            archive.pieces,
            media_type="application/zip",
            headers={"content-disposition": f'attachment; filename="{archive.name}"', "cache-control": "no-store"},
        )

    return [test_terminal, devices, devices_live, test_printer, search, try_found, diagnosis]
