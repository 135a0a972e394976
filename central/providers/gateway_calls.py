"""The services of the first public shape as data: which path, which names there, which names here.

What the shape documents stands here. Any other call is asked for in the same envelope under a path made of its own
name, `/counter/v2/clients/{client}/<call in camelCase>`, with fields and values named as the catalogue names them; a
provider's own path for it is configuration.
"""

from typing import Final, Literal

import msgspec

from central.providers.values import camel

OTHER_CALLS: Final = "/counter/v2/clients/{client}/"
PARAMETERS: Final[dict[str, str]] = {
    "plate": "plateNumber",
    "national_code": "nationalId",
    "licence_number": "licenseNumber",
}
"""The provider's names of fields, where they are not the field's own in camelCase."""
OPERATORS: Final = {"mci": "MCI", "mtn": "MTN", "rightel": "Rightel", "shatel": "Shatel"}
"""The provider's names of mobile operators."""


class CallShape(msgspec.Struct, frozen=True, kw_only=True):
    """One call. Names of the answer are the provider's in snake_case → the catalogue's."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    parameters: dict[str, str] = {}
    """Over `PARAMETERS`."""
    constants: dict[str, str] = {}
    names: dict[str, str] = {}
    items: str | None = None
    """The member that holds the items; the first list of objects where it is not given."""
    item_names: dict[str, str] = {}
    item_key: tuple[str, ...] = ("id", "serial", "key")


_BILLING: Final = "/billing/v2/clients/{client}/"
_VEHICLE: Final = "/vehicle/v2/clients/{client}/"
_CHARGE: Final = "/charge/v2/clients/{client}/"
_NATIONAL_ID: Final = {"national_code": "nationalID"}
"""Some calls spell it so."""

CALLS: Final[dict[str, CallShape]] = {
    "driving_offense": CallShape(
        path=_BILLING + "drivingOffense",
        parameters=_NATIONAL_ID,
        constants={"version": "2"},
        names={"total_amount": "total"},
        items="Bills",
        item_names={"price": "amount", "description": "recorded_as"},
    ),
    "riding_offense": CallShape(
        path=_BILLING + "ridingOffense",
        parameters=_NATIONAL_ID,
        names={"amount": "total", "complaint_status": "complaint"},
    ),
    "negative_score": CallShape(
        path=_BILLING + "negativeScore",
        parameters=_NATIONAL_ID,
        names={"negative_score": "score", "license_number": "licence_number"},
    ),
    "active_plates": CallShape(
        path=_VEHICLE + "activePlateNumbers",
        items="plateNumbers",
        item_names={"plate_number": "plate", "serial_number": "serial", "revoked_date_time": "revoked_at"},
        item_key=("serial_number",),
    ),
    "plate_history": CallShape(path=_VEHICLE + "plateNumberHistory"),
    "billing_inquiry": CallShape(path=_BILLING + "billingInquiry", names={"pay_id": "payment_id", "date": "due"}),
    "detail_billing_inquiry": CallShape(
        path=_BILLING + "detailBillingInquiry", names={"pay_id": "payment_id", "date": "due"}
    ),
    "charge_request": CallShape(path=_BILLING + "chargeSendRequest", method="POST"),
    "charge_approve": CallShape(path=_BILLING + "chargeApprove", method="POST"),
    "charge_inquiry": CallShape(path=_BILLING + "chargeInquiry"),
    "pin_products": CallShape(
        path=_CHARGE + "pinProductsList", names={"product_code": "product"}, item_key=("product_code",)
    ),
    "pin_charge": CallShape(path=_CHARGE + "pinCharge", method="POST"),
    "pin_inquiry": CallShape(path=_CHARGE + "pinChargeInquiry"),
    "package_offers": CallShape(path=_CHARGE + "packageProductsList", item_key=("product_id",)),
    "traffic_offense_image": CallShape(path=_BILLING + "trafficOffenseImage"),
}


def shape_of(call: str, paths: dict[str, str]) -> CallShape:
    """Return a call's shape, its path as configured."""
    shape = CALLS.get(call) or CallShape(path=OTHER_CALLS + camel(call))
    return msgspec.structs.replace(shape, path=paths[call]) if call in paths else shape
