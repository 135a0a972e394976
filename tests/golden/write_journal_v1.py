"""Add golden rows for entry types that have none yet. Run by hand; never by a test. Existing rows are never changed.

python tests/golden/write_journal_v1.py
"""

import json
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared import events
from shared.events import FEED_BODIES, JOURNAL_BODIES, Body, Evidence, Split
from shared.journal.checkpoint import Checkpoint, checkpoint_text
from shared.journal.cosignature import cosign, witness_key
from shared.journal.entry import (
    FEED_PAYLOAD,
    GENESIS_PREV,
    JOURNAL_PAYLOAD,
    VERSION,
    Entry,
    encode_body,
    encode_entry,
    leaf_hash,
    pre_authentication,
)
from shared.journal.export_format import write_export
from shared.journal.note import NoteKey, format_note, sign_note
from shared.journal.tree import Frontier
from shared.payment import PaymentState
from shared.sealed import Sealed, seal

HERE = Path(__file__).parent
VECTORS = HERE / "journal_v1.json"
EXPORT = HERE / "journal_v1.export.jsonl"

JOURNAL = "daftar.journal/72101001/box-1/1"
FEED = "daftar.feed/office/72101001"
WITNESS = "central.daftar.example/witness"

BOX_SEED = bytes(range(32))
FEED_SEED = bytes(range(32, 64))
WITNESS_SEED = bytes(range(64, 96))
DATA_KEY_SEED = bytes(range(96, 128))

SEALED_PLAINTEXT = "1234567890123"
"""What the sealed field of the rows holds; sealing is randomized, so the ciphertext is made once and kept."""


def public_of(seed: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def evidence(**changes: Any) -> Evidence:
    facts = {
        "source": "answer",
        "response_code": "00",
        "amount_rial": 17_000,
        "reference": "482913075561204387",
        "stan": "000123",
        "rrn": "012345678901",
        "terminal_number": "12345678",
        "merchant_number": "000000012345678",
        "pan": "610433******8596",
        "terminal_time": "1405/09/01 10:15:30",
    }
    return Evidence(**(facts | changes))  # type: ignore[arg-type]  # one table of facts of several types


PAYMENT: dict[str, Any] = {"payment_id": "pay-k7m2q9w4x8z3n5p6r7t2"}
INQUIRY: dict[str, Any] = {"inquiry_id": "inq-a2b3c4d5e6f7g8h9j2k3"}


def samples(sealed: Sealed, data_public: bytes) -> dict[str, Body]:
    """One body of every type, by type."""
    bodies = [
        *box_samples(sealed, data_public),
        *payment_samples(),
        *elsewhere_samples(),
        *inquiry_samples(sealed),
        *service_samples(sealed),
        *atm_samples(),
        *people_samples(),
        *notice_samples(),
    ]
    return {body.type: body for body in bodies}


def box_samples(sealed: Sealed, data_public: bytes) -> list[Body]:
    return [
        events.JournalOpened(
            office="72101001", box="box-1", public_key=public_of(BOX_SEED).hex(), signer="file", software="0.1.0"
        ),
        events.BootStarted(found_size=1, cosigned_size=0, software="0.1.0"),
        events.DataKeyMade(
            key_id="72101001/1405-09", month="1405-09", public_key=data_public.hex(), wrapped=sealed.ciphertext
        ),
        events.FeedReceived(feed=FEED, first=0, last=3, head="ab" * 32),
        events.AlarmRaised(kind="terminal.mismatch", **PAYMENT, detail="مبلغ دیگری بازگشت"),
        events.KeyRotated(public_key="cd" * 32, proof="AA" * 43 + "==", signer="file", operator="maryam"),
        events.JournalVerified(size=20, root="ef" * 32),
        events.JournalExported(first=0, operator="maryam"),
        events.DayClosed(
            close_id="d-1",
            first=0,
            size=21,
            root="ef" * 32,
            totals=(
                events.DayTotal(method="pcpos", purpose="bill", terminal="terminal-1", count=2, amount_rial=34_000),
            ),
            in_doubt_count=1,
            in_doubt_rial=17_000,
            unsent_count=4,
            unsent_rial=17_000,
            unconfirmed_count=1,
            unconfirmed_rial=17_000,
            batches=(events.TerminalBatch(terminal="terminal-1"),),
            operator="maryam",
        ),
        events.JournalClosed(reason="replaced", operator="maryam", in_doubt=(PAYMENT["payment_id"],)),
    ]


def elsewhere_samples() -> list[Body]:
    return [
        events.ObligationsHeld(
            journal="daftar.journal/72101001/1/1",
            heard_size=40,
            heard_at="2026-11-22T08:00:00.000Z",
            payments=(
                events.PaymentElsewhere(
                    **PAYMENT,
                    state=PaymentState.IN_DOUBT,
                    terminal="terminal-1",
                    requested_at="2026-11-22T07:50:00.000Z",
                    obligations=(
                        events.ObligationElsewhere(
                            obligation="bill:7748317800142:1770160",
                            amount_rial=17_000,
                            bill_id="7748317800142",
                            bill_payment_id="1770160",
                        ),
                    ),
                ),
            ),
        ),
    ]


def payment_samples() -> list[Body]:
    return [
        events.PaymentRequested(
            **PAYMENT,
            obligation="bill:7748317800142:1770160",
            purpose="bill",
            amount_rial=17_000,
            split=Split(gross_rial=17_000, company_rial=17_000),
            method="pcpos",
            terminal="terminal-1",
            reference="482913075561204387",
            operator="zahra",
            bill_id="7748317800142",
            bill_payment_id="1770160",
        ),
        events.PaymentNotSent(**PAYMENT, reason="restart"),
        events.PaymentSent(**PAYMENT, terminal_number="12345678"),
        events.PaymentApproved(**PAYMENT, evidence=evidence()),
        events.PaymentDeclined(**PAYMENT, evidence=evidence(response_code="51", rrn=None, pan=None)),
        events.PaymentCancelled(**PAYMENT, evidence=evidence(response_code="17", rrn=None, pan=None)),
        events.PaymentInDoubt(**PAYMENT, reason="no_answer"),
        events.StatusQueried(**PAYMENT, outcome="not_found", response_code="25", counts=True, operator="zahra"),
        events.PaymentNotCharged(**PAYMENT, asked_count=2),
        events.PaymentOverridden(
            **PAYMENT, charged=True, operator="maryam", reason="رسید کارتخوان دیده شد", slip_number="000123"
        ),
        events.ChargeRuledOut(
            **PAYMENT, source="manager", operator="maryam", reason="رسیدی نیست و حساب مشتری دست نخورده است"
        ),
        events.ReceiptPrinted(job_id="job-1", document="bill_receipt", about=PAYMENT["payment_id"], copy=False),
        events.PaymentConfirmed(
            **PAYMENT,
            provider="sandbox",
            track_id="trk-2",
            provider_reference="P-1",
            confirmed_at="2026-11-22T07:01:00.000Z",
        ),
        events.PaymentRefused(**PAYMENT, provider="sandbox", track_id="trk-2", reason="already_paid", case_id="case-1"),
        *money_back_samples(),
        events.AcquirerAnswered(
            **PAYMENT,
            charged=True,
            source="settlement",
            acquirer="behpardakht",
            amount_rial=17_000,
            rrn="012345678901",
            stan="000123",
            terminal_number="12345678",
            file_sha256="ab" * 32,
            row=7,
            answered_at="2026-11-23T07:01:00.000Z",
        ),
    ]


def money_back_samples() -> list[Body]:
    refund = PAYMENT | {"refund_id": "ref-1"}
    return [
        events.PaymentAcknowledged(**PAYMENT),
        events.RefundProposed(
            **refund, means="reversal", amount_rial=17_000, operator="zahra", reason="دو بار کشیده شد"
        ),
        events.RefundAgreed(**refund, operator="maryam"),
        events.RefundDropped(**refund, operator="maryam", reason="مشتری منصرف شد"),
        events.ReversalRequested(**refund, means="reversal"),
        events.PaymentReversed(**PAYMENT, evidence=evidence(source="reversal")),
        events.ReversalInDoubt(**PAYMENT, reason="no_answer"),
        events.ReversalDecided(
            **PAYMENT,
            undone=True,
            operator="zahra",
            agreed_by="maryam",
            reason="رسید برگشت دیده شد",
            slip_number="000124",
        ),
        events.ReversalRefused(**PAYMENT, reason="declined", evidence=evidence(source="reversal", response_code="12")),
    ]


def inquiry_samples(sealed: Sealed) -> list[Body]:
    return [
        events.InquiryRequested(
            **INQUIRY,
            ticket=7,
            service="bill_debt",
            kind="electricity",
            parameter=sealed,
            parameter_tail="123",
            operator="zahra",
        ),
        events.InquiryAnswered(
            **INQUIRY,
            outcome="owed",
            amount_rial=1_898_000,
            bill_id="6039628301226",
            bill_payment_id="189840835",
            due="2026-12-21",
            customer=sealed,
            provider="sandbox",
            track_id="trk-1",
            answered_at="2026-11-22T07:00:00.000Z",
        ),
    ]


def service_samples(sealed: Sealed) -> list[Body]:
    """The facts of catalogue services, of the journal and of the feed."""
    return [
        events.ServiceRequested(
            inquiry_id="q0000000000002",
            ticket=8,
            service="car_fines_detail",
            catalogue_id="builtin",
            fields=sealed,
            applicant_tail="388",
            search_key="5c" * 32,
            fee_rial=175_000,
            gate="fee_first",
            print_first=True,
            rules_accepted=True,
            operator="zahra",
        ),
        events.ServiceRetried(inquiry_id="q0000000000002", operator="zahra"),
        events.ServiceReleased(inquiry_id="q0000000000002", operator="mina", reason="چاپگر خراب است"),
        events.ServiceShown(inquiry_id="q0000000000002", operator="zahra"),
        events.ImageAsked(inquiry_id="q0000000000002", item="1", operator="zahra"),
        events.CataloguePublished(catalogue_id="catalogue-1", note="تعرفهٔ دی", published_by="mina"),
        events.ServiceAnswered(
            inquiry_id="q0000000000002",
            outcome="done",
            document=sealed,
            provider="sandbox",
            track_id="trk-2",
            answered_at="2026-11-22T07:00:00.000Z",
        ),
        events.ImageAnswered(inquiry_id="q0000000000002", item="1", number=0, label="پلاک", image=sealed),
    ]


def atm_samples() -> list[Body]:
    """The facts of the office's ATMs, and the bank's answer."""
    notes = events.CassetteNotes(cassette=1, denomination_rial=1_000_000, notes=1_500)
    atm, report = {"atm_id": "a-1"}, {"report_id": "a-2", "atm_id": "a-1"}
    return [
        events.AtmRegistered(
            **atm,
            bank="017",
            number="20417",
            place="کنار در ورودی",
            cassettes=(events.AtmCassette(cassette=1, denomination_rial=1_000_000, capacity=2_500),),
            operator="maryam",
        ),
        events.AtmStateReported(**report, state="limited", note="رسید نمی‌دهد", operator="zahra"),
        events.AtmCashReported(**report, cassettes=(notes,), operator="zahra"),
        events.AtmCashLoaded(**report, how="added", cassettes=(notes,), operator="zahra"),
        events.AtmCashCounted(
            **report,
            cassettes=(events.CassetteCount(cassette=1, denomination_rial=1_000_000, notes=2_998, expected=3_000),),
            operator="zahra",
        ),
        events.AtmFaultOpened(ticket_id="a-3", ticket=1, **atm, kind="receipt_paper", operator="zahra"),
        events.AtmFaultNoted(note_id="a-4", ticket_id="a-3", text="کاغذ عوض شد، باز نمی‌دهد", operator="zahra"),
        events.AtmFaultClosed(ticket_id="a-3", outcome="fixed", operator="zahra"),
        events.AtmRemoved(**atm, reason="بانک برد", operator="maryam"),
        events.AtmTicketAnswered(
            ticket_id="a-3",
            answer="technician",
            text="فردا می‌آید",
            bank_reference="88-1204",
            answered_by="mina",
            answered_at="2026-11-22T09:00:00.000Z",
        ),
    ]


def people_samples() -> list[Body]:
    """What a manager changes of the people at the counter."""
    whom: dict[str, Any] = {"person": "sara", "operator": "mina"}
    return [
        events.PersonAdded(**whom, name="سارا احمدی", role="operator"),
        events.PersonChanged(**whom, name="سارا احمدی", role="manager"),
        events.PersonDenied(**whom),
        events.PersonAllowed(**whom),
        events.PasswordSet(person="sara", operator="sara"),
        events.PersonPermitted(**whom, allowed=("*",), denied=("refunds", "service:fine_total")),
        events.SessionsEnded(**whom),
    ]


def notice_samples() -> list[Body]:
    return [
        events.FeedOpened(public_key=public_of(FEED_SEED).hex()),
        events.ExposurePolicySet(
            policy_id="policy-1",
            payment_max_rial=500_000_000,
            total_max_rial=5_000_000_000,
            count_max=400,
            running_hours_max=72,
        ),
        events.ProfileBundlePublished(
            bundle_id="profiles-1",
            documents=(events.ProfileDocument(path="terminals/maker/model.toml", text='protocol = "pna"\n'),),
            note="کد ۹۹",
            published_by="mina",
        ),
        events.NoticePublished(notice_id="notice-1", title="اطلاعیه", text="سامانه جمعه از ۲ تا ۴ به‌روز می‌شود."),
    ]


class Log:
    """One golden log: its kept rows, and the next entry."""

    def __init__(self, name: str, seed: bytes, payload: str, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self._name, self._payload = name, payload
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    def add(self, body: Body) -> None:
        index = len(self.rows)
        entry = Entry(
            v=VERSION,
            journal=self._name,
            index=index,
            prev=self.rows[-1]["leaf"] if self.rows else GENESIS_PREV,
            boot="boot-q2w3e4r5t6y7u8i9p2a3",
            at=f"2026-11-22T06:{index:02}:30.125Z",
            monotonic_ms=60_000 * index + 125,
            clock="ntp" if index else "none",
            type=body.type,
            body=encode_body(body),
        )
        data = encode_entry(entry)
        signature = self._key.sign(pre_authentication(self._payload, data))
        self.rows.append(
            {
                "type": body.type,
                "data": data.decode(),
                "leaf": leaf_hash(data).hex(),
                "signature": signature.hex(),
            }
        )


def checkpoint_of(log: str, seed: bytes, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The root, the box's note and the witness's cosigned note over all rows."""
    tree = Frontier()
    for row in rows:
        tree.append(bytes.fromhex(row["leaf"]))
    key = NoteKey(log, public_of(seed))
    text = checkpoint_text(Checkpoint(log, tree.size, tree.root()))
    note = sign_note(text, key, Ed25519PrivateKey.from_private_bytes(seed).sign)
    witness = witness_key(WITNESS, public_of(WITNESS_SEED))
    seen = cosign(note, witness, Ed25519PrivateKey.from_private_bytes(WITNESS_SEED).sign, time_s=1_795_331_400)
    return {
        "size": tree.size,
        "root": tree.root().hex(),
        "note": format_note(note),
        "cosigned": format_note(seen),
    }


def main() -> None:
    kept: dict[str, Any] = json.loads(VECTORS.read_text()) if VECTORS.exists() else {}
    data_key = X25519PrivateKey.from_private_bytes(DATA_KEY_SEED)
    data_public = data_key.public_key().public_bytes_raw()
    if "sealed" not in kept:
        fresh = seal(
            SEALED_PLAINTEXT.encode(),
            key_id="72101001/1405-09",
            public_key=data_public,
            purpose=events.INQUIRY_PARAMETER_PURPOSE,
        )
        kept["sealed"] = {
            "private_key": DATA_KEY_SEED.hex(),
            "purpose": events.INQUIRY_PARAMETER_PURPOSE,
            "plaintext": SEALED_PLAINTEXT,
            "sealed": msgspec.to_builtins(fresh),
        }
    bodies = samples(msgspec.convert(kept["sealed"]["sealed"], Sealed), data_public)
    kept.setdefault(
        "keys",
        {
            "box": NoteKey(JOURNAL, public_of(BOX_SEED)).text(),
            "feed": NoteKey(FEED, public_of(FEED_SEED)).text(),
            "witness": witness_key(WITNESS, public_of(WITNESS_SEED)).text(),
        },
    )
    kept.setdefault("checkpoints", {})
    for name, origin, seed, payload, types in (
        ("journal", JOURNAL, BOX_SEED, JOURNAL_PAYLOAD, JOURNAL_BODIES),
        ("feed", FEED, FEED_SEED, FEED_PAYLOAD, FEED_BODIES),
    ):
        log = Log(origin, seed, payload, kept.setdefault(name, []))
        there = {row["type"] for row in log.rows}
        for kind in types:
            if kind not in there:
                log.add(bodies[kind])
        # A checkpoint for each length the file ever had: old ones stay.
        kept["checkpoints"].setdefault(f"{name}/{len(log.rows)}", checkpoint_of(origin, seed, log.rows))
    VECTORS.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    if not EXPORT.exists():
        rows = kept["journal"]
        head = kept["checkpoints"][f"journal/{len(rows)}"]
        entries = [(row["data"].encode(), bytes.fromhex(row["signature"])) for row in rows]
        # Seen by the witness five entries ago, as in an office whose line is down.
        seen = checkpoint_of(JOURNAL, BOX_SEED, rows[:-5])
        EXPORT.write_text(
            "".join(
                write_export(
                    origin=JOURNAL,
                    size=len(rows),
                    checkpoint=head["note"],
                    entries=entries,
                    cosigned=seen["cosigned"],
                )
            )
        )


if __name__ == "__main__":
    main()
