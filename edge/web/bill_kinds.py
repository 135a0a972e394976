"""Kinds of bills on pages: the words and pictures of each."""

from typing import Final

from shared.identifiers import BillType

KIND_TEXTS: Final[dict[str, str]] = {
    "water": "inquiry.water",
    "electricity": "inquiry.electricity",
    "gas": "inquiry.gas",
    "landline": "inquiry.landline",
    "mobile": "inquiry.mobile",
}
KIND_ICONS: Final[dict[str, str]] = {
    "water": "drop",
    "electricity": "bolt",
    "gas": "flame",
    "landline": "phone",
    "mobile": "mobile",
}
BILL_ICONS: Final[dict[BillType, str]] = {
    BillType.WATER: "drop",
    BillType.ELECTRICITY: "bolt",
    BillType.GAS: "flame",
    BillType.LANDLINE: "phone",
    BillType.MOBILE: "mobile",
    BillType.MUNICIPALITY: "city",
    BillType.OTHER: "bill",
    BillType.TAX: "percent",
    BillType.TRAFFIC_FINE: "car",
}
