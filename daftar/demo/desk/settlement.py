"""The settlement file an acquirer would send about this terminal: the truth, or the truth with planted differences.

The form is the project's neutral CSV. What the file says comes from what the virtual terminal really charged, never
from the box's journal, so that reconciling the two is a real comparison.
"""

import csv
import io
from collections.abc import Sequence
from typing import Final

from edge.devices.virtual.terminal_memory import Transaction
from shared.calendar import TEHRAN
from shared.card import mask_pan
from shared.clock import parse_instant

COLUMNS: Final = (
    "psp",
    "rrn",
    "stan",
    "terminal_id",
    "merchant_id",
    "pan_masked",
    "amount",
    "currency",
    "local_date",
    "local_time",
    "financial_date",
    "cycle",
    "iban",
    "type",
    "status",
    "original_rrn",
    "service_code",
    "share_of",
    "row_no",
)
PLANTED_OVERCHARGE_RIAL: Final = 1_000
PLANTED_RRN: Final = "999000000001"
PLANTED_STAN: Final = "990001"
PLANTED_RIAL: Final = 427_000
"""No bill, fine or fee of the demo is of this amount: a payment that failed could be meant by one that is."""


def settlement_csv(charges: Sequence[Transaction], *, planted: bool) -> str:
    """Return the file. With `planted`: one amount is wrong, one row is missing, one row is of nobody we know.

    The differences are planted from the end, so that the oldest charges still match: the last row is left out when
    there are at least three, the last that remains is 1,000 rial too high, and an unknown row is added.
    """
    kept = list(charges)
    if planted and len(kept) > 2:  # noqa: PLR2004 - one to match, one to alter, one to miss
        kept.pop()
    rows = [_row(charge, number) for number, charge in enumerate(kept, start=1)]
    if planted and kept:
        if len(kept) > 1:
            rows[-1]["amount"] = str(kept[-1].amount_rial + PLANTED_OVERCHARGE_RIAL)
        stranger = _row(kept[0], len(rows) + 1)
        stranger.update(rrn=PLANTED_RRN, stan=PLANTED_STAN, amount=str(PLANTED_RIAL))
        rows.append(stranger)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(charge: Transaction, number: int) -> dict[str, str]:
    at = parse_instant(charge.charged_at).astimezone(TEHRAN)
    return {
        "psp": "behpardakht",
        "rrn": charge.rrn,
        "stan": charge.stan,
        "terminal_id": charge.terminal_number,
        "merchant_id": charge.merchant_number,
        "pan_masked": mask_pan(bin6=charge.bin6, last4=charge.last4),
        "amount": str(charge.amount_rial),
        "currency": "IRR",
        "local_date": f"{at:%Y-%m-%d}",
        "local_time": f"{at:%H:%M:%S}",
        "financial_date": f"{at:%Y-%m-%d}",
        "cycle": "1",
        "iban": "",
        "type": "SALE",
        "status": "SUCCESS",
        "original_rrn": "",
        "service_code": "",
        "share_of": "",
        "row_no": str(number),
    }
