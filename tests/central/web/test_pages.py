"""Central's pages as people use them: who may come in, what they see, what they may do."""

import re
from datetime import timedelta
from pathlib import Path
from typing import cast

import httpx
import pytest
from litestar.routes import HTTPRoute

from central.ledger.cases import CASE_NAMES, CaseKind, NewCase, open_case
from central.reconciliation.breaks import Bucket
from central.web.people import NAME_FAILURES_MAX
from tests.central.web.a_day import Day, settlement, with_differences
from tests.central.web.conftest import send, sign_in, token_of, upload
from verifier import daftar_verify

pytestmark = pytest.mark.postgres

PUBLIC = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/language"),
    ("GET", "/r/{name:path}"),
    ("GET", "/proof/{name:path}"),
    ("GET", "/status/{inquiry_id:str}"),
}
FOR_ALL_WHO_SIGNED_IN = {("POST", "/sign-out")}
EXAMPLES = {
    "{office_id:str}": "72101001",
    "{payment_id:str}": "p-0001",
    "{inquiry_id:str}": "q-0001",
    "{office:str}": "72101001",
    "{atm_id:str}": "atm-0",
    "{ticket_id:str}": "ticket-0",
    "{file_id:str}": "sf-0",
    "{run_id:int}": "1",
    "{ordinal:int}": "1",
    "{case_id:str}": "case-0",
    "{statement_id:int}": "1",
    "{closing_id:int}": "1",
    "{decision_id:int}": "1",
    "{name:path}": "x",
}


def routes(day: Day) -> list[tuple[str, str]]:
    """Every page route of the application, as (method, path)."""
    found = []
    for route in day.app.routes:
        if isinstance(route, HTTPRoute) and not route.path.startswith("/assets"):
            found += [(method, route.path) for method in route.methods if method not in {"OPTIONS", "HEAD"}]
    return sorted(found)


def example(path: str) -> str:
    return re.sub(r"\{[^}]+\}", lambda found: EXAMPLES[found[0]], path)


# --- who may come in -------------------------------------------------------------------------------------------------


async def test_without_signing_in_every_door_but_the_public_ones_leads_to_sign_in(
    kept_day: Day, visitor: httpx.AsyncClient
) -> None:
    walked = routes(kept_day)
    assert set(walked) >= PUBLIC
    assert len(walked) > 25
    for method, path in walked:
        answer = await visitor.request(method, example(path))
        if (method, path) in PUBLIC:
            assert not answer.headers.get("location", "").startswith("/sign-in"), path
        else:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path


async def test_every_form_needs_the_token_of_its_page(kept_day: Day, kept_mina: httpx.AsyncClient) -> None:
    forms = [path for method, path in routes(kept_day) if method == "POST"]
    assert len(forms) >= 8
    for path in forms:
        for data in ({}, {"csrf": "0" * 64}):
            answer = await kept_mina.post(example(path), data=data)
            assert answer.status_code == 403, path
    elsewhere = await kept_mina.post(
        "/runs", data={"csrf": token_of((await kept_mina.get("/")).text)}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert elsewhere.status_code == 403
    assert "هنوز مغایرت‌گیری نشده است" in (await kept_mina.get("/runs")).text


async def test_an_auditor_sees_everything_and_changes_nothing(kept_day: Day, kept_reza: httpx.AsyncClient) -> None:
    token = token_of((await kept_reza.get("/")).text)
    for method, path in routes(kept_day):
        if (method, path) in PUBLIC | FOR_ALL_WHO_SIGNED_IN:
            continue
        answer = await kept_reza.request(method, example(path), data={"csrf": token} if method == "POST" else None)
        assert answer.status_code == 403 if method == "POST" else answer.status_code in (200, 404), (method, path)
    assert 'type="file"' not in (await kept_reza.get("/files")).text
    assert 'action="/runs"' not in (await kept_reza.get("/runs")).text


async def test_signing_in_returns_to_where_one_wanted_to_go_and_nowhere_else(kept_day: Day) -> None:
    async with kept_day.client() as client:
        asked = await client.get("/payments?q=123")
        assert asked.headers["location"] == "/sign-in?next=%2Fpayments%3Fq%3D123"
        for wanted, given in (
            ("/payments?q=1", "/payments?q=1"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
        ):
            page = await client.get("/sign-in", params={"next": wanted})
            fields = {
                "csrf": token_of(page.text),
                "username": "mina",
                "password": "a-password-for-tests",
                "next": wanted,
            }
            answer = await client.post("/sign-in", data=fields)
            assert answer.headers["location"] == given
            cookie = answer.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=lax" in cookie
            client.cookies.clear()


async def test_a_wrong_password_is_told_and_the_name_stays_until_it_is_too_often(day: Day) -> None:
    async with day.client() as client:
        for _ in range(NAME_FAILURES_MAX):
            answer = await sign_in(client, "mina", "wrong")
            assert answer.status_code == 401
            assert 'value="mina"' in answer.text
            assert 'aria-invalid="true"' in answer.text
        answer = await sign_in(client, "mina")
        assert answer.status_code == 429


async def test_after_signing_out_the_old_cookie_opens_nothing(kept_mina: httpx.AsyncClient) -> None:
    kept = kept_mina.cookies.get("daftar_central_session")
    assert kept
    assert (await send(kept_mina, "/sign-out")).headers["location"] == "/sign-in"
    kept_mina.cookies.set("daftar_central_session", kept)
    assert (await kept_mina.get("/")).status_code == 303


# --- what they see ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fa", "en"])
async def test_every_page_speaks_both_languages(day: Day, mina: httpx.AsyncClient, language: str) -> None:
    await upload(mina, with_differences(day))
    await send(mina, "/runs")
    opened = await send(mina, "/runs/1/cases", {"number": await break_number(mina)})
    await send(mina, "/language", {"language": language, "next": "/"})
    file_id = re.search(r"/files/(sf-[0-9a-f]+)", (await mina.get("/files")).text)
    assert file_id
    pages = [
        "/",
        "/?period=today",
        "/?period=all",
        "/offices",
        "/offices/72101001",
        f"/journal?journal={day.box.log.name}",
        "/feeds",
        "/payments",
        "/payments/72101001/p-0001",
        "/payments/72101001/p-0007",
        "/ledger",
        "/ledger?office=72101001",
        "/ledger/account?code=unconfirmed",
        "/providers",
        "/inquiries",
        "/inquiries/72101001/q-0001",
        "/requests",
        "/requests?state=open",
        "/requests/72101001/q-0002",
        "/catalogue",
        "/catalogue?office=72101001",
        "/files",
        f"/files/{file_id[1]}?new=yes",
        "/runs",
        "/runs/1",
        "/runs/1?bucket=matched",
        "/runs/1?bucket=all",
        "/cases",
        opened.headers["location"],
    ]
    for path in pages:
        page = await mina.get(path)
        assert page.status_code == 200, path
        assert f'<html lang="{language}" dir="{"rtl" if language == "fa" else "ltr"}">' in page.text
        assert page.headers["cache-control"] == "no-store"
        assert "unsafe" not in page.headers["content-security-policy"]
        assert not re.search(r"<[^>]+ style=|<script>|<script(?![^>]*src)|onclick=", page.text), path
    missing = await mina.get("/payments/72101001/p-none")
    assert missing.status_code == 404
    assert ("چنین صفحه‌ای نیست" if language == "fa" else "no such page") in missing.text


async def test_the_board_counts_the_money_by_where_it_stands(kept_mina: httpx.AsyncClient) -> None:
    await send(kept_mina, "/language", {"language": "en", "next": "/"})
    board = (await kept_mina.get("/")).text
    tiles = dict(re.findall(r'tile__name">([^<]+)</span><span class="tile__number">([^<]+)<', board))
    assert tiles == {
        "Charged to cards": "4",
        "Queued for confirmation": "4",
        "In doubt": "1",
        "Giving back, end unknown": "0",
        "Needs review": "0",
        "Not settled yet": "4",
    }
    assert "4,507,000 rial" in board
    assert "<svg" in board


async def test_a_payment_is_found_by_what_stands_on_the_slip_and_shows_its_life(kept_mina: httpx.AsyncClient) -> None:
    found = (await kept_mina.get("/payments", params={"q": "۷۰۰۰۰۰۰۰۰۰۰۲"})).text
    assert re.findall(r"/payments/72101001/(p-\d+)", found) == ["p-0002"]
    life = (await kept_mina.get("/payments/72101001/p-0002")).text
    told = [
        life.index(words) for words in ("درخواست پرداخت", "مبلغ به کارتخوان رفت", "کارتخوان تأیید کرد", "رسید چاپ شد")
    ]
    assert told == sorted(told)
    assert "طلب از پذیرندهٔ کارت · پایانه 21009543" in life
    assert "603769******4321" in life


async def test_lists_can_be_filtered_and_taken_as_a_file(kept_mina: httpx.AsyncClient) -> None:
    doubtful = (await kept_mina.get("/payments", params={"state": "in_doubt"})).text
    assert re.findall(r"/payments/72101001/(p-\d+)", doubtful) == ["p-0007"]
    file = await kept_mina.get("/payments", params={"as": "csv", "state": "charged"})
    assert file.headers["content-type"].startswith("text/csv")
    lines = file.text.splitlines()
    assert len(lines) == 1 + 4
    assert lines[1].split(",")[1] == "p-0004"
    for path in ("/ledger?as=csv", "/ledger/account?code=unconfirmed&as=csv"):
        assert (await kept_mina.get(path)).headers["content-disposition"].startswith("attachment")


async def test_the_journal_is_shown_as_central_witnesses_it(kept_day: Day, kept_mina: httpx.AsyncClient) -> None:
    page = (await kept_mina.get("/journal", params={"journal": kept_day.box.log.name})).text
    assert kept_day.box.log.leaves[-1].hex()[:16] in page
    assert "central/witness" in page or "— " in page
    assert "سراسر گواهی شده" in (await kept_mina.get("/offices/72101001")).text


# --- settlement files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data.replace(b",SALE,", b",SAIL,", 1), ("سطر ۲", "type", "SAIL")),
        (lambda data: data.replace(b"1251000", b"12.5", 1), ("سطر ۳", "amount", "12.5")),
        (lambda data: data.replace(b"stan,", b"", 1), ("سطر ۱", "stan")),
        (lambda _: b"\x89PNG\r\n\x1a\n\x00\xff\xfe", ("UTF-8",)),
        (lambda _: b"hello\r\nworld", ("CSV",)),
    ],
)
async def test_a_wrong_file_is_refused_by_line_and_column_and_nothing_of_it_is_kept(
    kept_day: Day, kept_mina: httpx.AsyncClient, spoil: "object", said: tuple[str, ...]
) -> None:
    assert callable(spoil)
    answer = await upload(kept_mina, spoil(with_differences(kept_day)))
    assert answer.status_code == 422
    alert = re.search(r'role="alert".*?</div>', answer.text, re.DOTALL)
    assert alert
    for words in said:
        assert words in alert[0]
    assert "sf-" not in (await kept_mina.get("/files")).text


async def test_no_file_at_all_is_told_too(kept_mina: httpx.AsyncClient) -> None:
    answer = await send(kept_mina, "/files")
    assert answer.status_code == 422
    assert "فایلی برگزیده نشده است" in answer.text


async def test_the_same_file_twice_says_so_and_leads_to_the_first(day: Day, mina: httpx.AsyncClient) -> None:
    first = await upload(mina, with_differences(day), name="../../etc/<b>file</b>.csv")
    assert first.status_code == 303
    place = first.headers["location"].split("?")[0]
    page = (await mina.get(place)).text
    assert "<b>file</b>" not in page
    assert "700000000099" in page
    again = await upload(mina, with_differences(day), name="other.csv")
    assert again.status_code == 409
    assert place in again.text


# --- reconciliation --------------------------------------------------------------------------------------------------


async def break_number(client: httpx.AsyncClient) -> str:
    """Return the number of the first break of run 1 that has no case yet."""
    found = re.search(r'name="number" value="(\d+)"', (await client.get("/runs/1")).text)
    assert found
    return found[1]


async def test_a_run_ties_out_and_each_number_leads_to_its_rows(day: Day, mina: httpx.AsyncClient) -> None:
    await send(mina, "/language", {"language": "en", "next": "/"})
    await upload(mina, with_differences(day))
    started = await send(mina, "/runs")
    assert started.headers["location"] == "/runs/1"
    page = (await mina.get("/runs/1")).text
    assert "Buckets tie out" in page
    rows = re.findall(r'<th data-name="Bucket"><a [^>]*bucket=(\w+)#rows">.*?</th>(.*?)</tr>', page, re.DOTALL)
    counts = {bucket: re.findall(r">([\d,]+)<", cells)[0] for bucket, cells in rows}
    assert (counts["matched"], counts["amount_differs"], counts["missing_at_office"]) == ("1", "1", "1")
    matched = (await mina.get("/runs/1?bucket=matched")).text
    assert re.findall(r"/payments/72101001/(p-\d+)", matched) == ["p-0001"]
    differs = (await mina.get("/runs/1?bucket=amount_differs")).text
    assert re.findall(r"/payments/72101001/(p-\d+)", differs) == ["p-0002"]
    assert "1,000" in differs
    line = re.search(r'href="(/files/sf-[0-9a-f]+\?after=\d+)"', differs)
    assert line
    assert "1,251,000" in (await mina.get(line[1])).text
    file = await mina.get("/runs/1?bucket=all&as=csv")
    office = sum(int(one.split(",")[3]) for one in file.text.splitlines()[1:])
    assert office == 4_507_000 + 770_000
    settled = (await mina.get("/payments/72101001/p-0001")).text
    assert "Settled by the acquirer" in settled


async def test_a_break_becomes_a_case_once_is_taken_and_gets_notes(day: Day, mina: httpx.AsyncClient) -> None:
    await upload(mina, with_differences(day))
    await send(mina, "/runs")
    number = await break_number(mina)
    first = await send(mina, "/runs/1/cases", {"number": number})
    again = await send(mina, "/runs/1/cases", {"number": number})
    assert first.headers["location"] == again.headers["location"]
    case = first.headers["location"]
    await send(mina, f"{case}/take")
    await send(mina, f"{case}/notes", {"text": "با پذیرنده <b>تماس</b> گرفتم"})
    empty = await send(mina, f"{case}/notes", {"text": "  "})
    assert empty.status_code == 422
    page = (await mina.get(case)).text
    assert "با پذیرنده &lt;b&gt;تماس&lt;/b&gt; گرفتم" in page
    assert "در دست رسیدگی" in page
    assert case in (await mina.get("/cases?state=assigned")).text


A_CASE_OF_EACH_KIND: dict[str, dict[str, object]] = {
    "answer_contradicted": {
        "charged": True,
        "rule": "rrn",
        "refund_id": "",
        "old_file": "sf-0",
        "new_file": "sf-1",
    },
    "refund": {"reason": "already_paid", "track_id": "c0", "asked_before": True},
    "no_result": {"inquiry": "q-1", "reason": "wrong_parameter", "problem": "owner_mismatch", "track_id": "s0"},
    "late_approval": {"earlier": "not_charged"},
    "overridden": {"charged": True, "operator": "maryam", "reason": "slip", "slip_number": "00017"},
    "paid_twice": {
        "obligation": "bill:7748317800142:1",
        "others": [{"office_id": "72101001", "payment_id": "p-0002", "state": "approved"}],
    },
    "unposted": {"journal": "daftar.journal/72101001/1/1", "index": 4, "leaf": "ab", "type": "payment.approved"},
    "overdue": {"track_id": "c1", "problem": "no answer"},
    "confirmed_uncharged": {"earlier": "approved"},
    "had_twice": {"reason": "confirmed", "earlier_case": "case-a", "track_id": "c1"},
    "tariff_differs": {
        "differs": "catalogue",
        "catalogue": "catalogue-a",
        "in_force": "builtin",
        "service": "active_plates",
        "expected_rial": 175_000,
        "charged_rial": 180_000,
        "shares": "100000 + 50000 + 25000 + 0",
        "inquiry": "q-1",
    },
    "left_in_doubt": {"journal": "daftar.journal/72101001/1/1", "state": "in_doubt", "terminal": "terminal-1"},
}


REFUNDS: list[tuple[str, dict[str, object]]] = [
    ("refund", {"refund_id": "r", "proposed_by": "maryam", "agreed_by": "sara", "reason": "قبض اشتباه"}),
    ("refund", {**A_CASE_OF_EACH_KIND["paid_twice"], "reason": "charged_twice"}),
]


@pytest.mark.parametrize(("kind", "facts"), [*A_CASE_OF_EACH_KIND.items(), *REFUNDS])
async def test_a_case_of_any_kind_shows_what_is_known_of_it_in_words(
    kept_day: Day, kept_mina: httpx.AsyncClient, kind: str, facts: dict[str, object]
) -> None:
    new = NewCase(
        kind=cast("CaseKind", kind),
        about=str(facts),
        amount_rial=1,
        office_id="72101001",
        payment_id="p-0001",
        facts=facts,
    )
    with kept_day.web.engine.begin() as connection:
        opened = open_case(connection, new, at=kept_day.web.clock.now())
    answer = await kept_mina.get(f"/cases/{opened}")
    assert answer.status_code == 200
    names = re.findall(r"<dt>(.*?)</dt>", answer.text)
    assert [name for name in names if re.search("[A-Za-z]", name)] == [], "each fact has a name"
    assert "slip_number" not in answer.text


def test_cases_that_central_opens_are_all_tried_here() -> None:
    assert set(CASE_NAMES) - {str(bucket) for bucket in Bucket} == set(A_CASE_OF_EACH_KIND)


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [("1405/09/01", "1405/09/05", 303), ("1405/13/01", "1405/09/05", 422), ("1405/09/05", "1405/09/01", 422)],
)
async def test_a_run_can_be_asked_for_jalali_days_and_wrong_ones_keep_what_was_typed(
    day: Day, mina: httpx.AsyncClient, first: str, last: str, status: int
) -> None:
    await upload(mina, with_differences(day))
    answer = await send(mina, "/runs", {"financial_from": first, "financial_to": last})
    assert answer.status_code == status
    if status == 422:
        assert f'value="{first}"' in answer.text
        assert 'aria-invalid="true"' in answer.text


# --- the customer ----------------------------------------------------------------------------------------------------


async def test_a_receipt_that_is_in_the_log_says_so_to_anybody(kept_day: Day, visitor: httpx.AsyncClient) -> None:
    leaf = kept_day.box.log.leaves[5].hex()[:16]
    page = await visitor.get(f"/r/{kept_day.box.log.name}/5/{leaf}")
    assert page.status_code == 200
    assert "این رسید در دفتر امضاشده هست" in page.text
    assert "۱٬۷۰۰ تومان" in page.text
    assert "603769" not in page.text
    assert "maryam" not in page.text


async def test_whoever_holds_a_receipt_takes_its_proof_away(
    kept_day: Day, visitor: httpx.AsyncClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaf = kept_day.box.log.leaves[5].hex()[:16]
    page = await visitor.get(f"/r/{kept_day.box.log.name}/5/{leaf}")
    (address,) = re.findall(r'href="(/proof/[^"]+)"', page.text)
    answer = await visitor.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith('-5.tlog-proof"')
    file = tmp_path / "receipt.tlog-proof"
    file.write_bytes(answer.content)
    witness = kept_day.centre.keys.trust().witness
    assert daftar_verify.main([str(file), "--witness", witness, "--leaf", leaf]) == 0, capsys.readouterr().out
    assert daftar_verify.main([str(file), "--witness", witness, "--leaf", "0" * 16]) == 1
    for absent in (f"{kept_day.box.log.name}/999/{leaf}", f"{kept_day.box.log.name}/5/{'f' * 16}", "x"):
        assert (await visitor.get(f"/proof/{absent}")).status_code == 404


async def test_a_receipt_that_has_not_come_yet_is_no_error_and_one_that_differs_is_said_to(
    kept_day: Day, visitor: httpx.AsyncClient
) -> None:
    journal, size = kept_day.box.log.name, kept_day.box.log.size()
    not_yet, differs = "این رسید هنوز به مرکز نرسیده است", "مرکز در این جای دفتر ثبت دیگری دارد"
    of_before = kept_day.box.log.leaves[5].hex()[:16]
    for index, leaf, said in (
        (size, "0" * 16, not_yet),
        (999, "0" * 16, not_yet),
        (size - 1, "f" * 16, differs),
        (5, "f" * 16, differs),
        (6, of_before, differs),
    ):
        page = await visitor.get(f"/r/{journal}/{index}/{leaf}")
        assert page.status_code == 200
        assert [words in page.text for words in (not_yet, differs)] == [said == not_yet, said == differs]
    for nonsense in ("x", f"{journal}/5/short", f"{journal}/-1/{'0' * 16}"):
        assert (await visitor.get(f"/r/{nonsense}")).status_code == 404


@pytest.mark.parametrize(
    ("from_end", "words", "tail"), [(2, ("برق", "در صف استعلام"), "142"), (1, ("شارژ", "در انتظار"), "789")]
)
async def test_an_inquirys_ticket_can_be_checked_too(
    kept_day: Day, visitor: httpx.AsyncClient, from_end: int, words: tuple[str, str], tail: str
) -> None:
    index = kept_day.box.log.size() - from_end
    leaf = kept_day.box.log.leaves[index].hex()
    page = await visitor.get(f"/r/{kept_day.box.log.name}/{index}/{leaf[:16]}")
    assert all(word in page.text for word in words)
    assert tail not in page.text.replace(leaf, "")


async def test_a_settlement_of_another_day_leaves_todays_payments_not_due(day: Day, mina: httpx.AsyncClient) -> None:
    yesterday = (day.centre.clock.now() - timedelta(days=3)).date()
    row = {"number": 99, "amount": 5_000, "local_date": str(yesterday), "financial_date": str(yesterday)}
    await upload(mina, settlement(day, row))
    await send(mina, "/runs")
    page = (await mina.get("/runs/1?bucket=not_due")).text
    assert set(re.findall(r"/payments/72101001/(p-\d+)", page)) == {"p-0001", "p-0002", "p-0003", "p-0004"}
