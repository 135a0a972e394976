"""The terminal's own encoder against the documented answers; it shares no code with the driver's."""

import json
import re
from pathlib import Path

import pytest

from edge.devices.virtual import terminal, terminal_bytes, terminal_memory
from edge.devices.virtual.terminal_bytes import Reply, Request, RequestReader, checksum, frame

GOLDEN = Path(__file__).parents[3] / "golden" / "terminal_vectors.json"
VECTORS = {
    row["name"]: bytes.fromhex(row["hex"]) for row in json.loads(GOLDEN.read_bytes()) if row["family"] == "behpardakht"
}


def test_checksum_is_arc() -> None:
    assert checksum(b"123456789") == b"\x3d\xbb"


def test_the_documented_approval() -> None:
    reply = Reply(
        code="00",
        service="01",
        approved_type="01",
        number="200",
        amount_rial=10_000,
        stan="06",
        rrn="127957072802",
        date="1399/03/08",
        time="12:16",
        last4="0770",
        bin6="603769",
        terminal_number="21009543",
        merchant_number="12404580",
        reference="3000",
    )
    assert frame(reply) == VECTORS["sale 10000 BA=3000 approved"]


def test_the_documented_requests_are_understood() -> None:
    stream = b"".join(data for name, data in VECTORS.items() if "answer" not in name and "error" not in name)
    stream = stream.replace(VECTORS["sale 1250 approved"], b"").replace(VECTORS["sale 10000 BA=3000 approved"], b"")
    expected = [
        Request(service="01", amount_rial=1_250, number="5263"),
        Request(service="01", amount_rial=10_000, reference="3000", number="200"),
        Request(service="16", reference="3000", number="200"),
        Request(service="17", number="201"),
        "ready",
        "cancel",
    ]
    for at in range(len(stream)):
        reader = RequestReader()
        assert reader.feed(stream[:at]) + reader.feed(stream[at:]) == expected


@pytest.mark.parametrize("module", [terminal, terminal_bytes, terminal_memory])
def test_nothing_is_shared_with_the_driver(module: object) -> None:
    source = Path(str(getattr(module, "__file__", ""))).read_text(encoding="utf-8")
    imported = set(re.findall(r"^\s*(?:from|import) (\S+)", source, re.MULTILINE))
    assert not {name for name in imported if name.startswith("edge.") and not name.startswith("edge.devices.virtual.")}
