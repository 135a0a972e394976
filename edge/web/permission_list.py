"""What can be permitted, as pages list it: acts that are no service first, then the services by category."""

from typing import Final

import msgspec

from edge.web.ports.people import Permitted
from edge.web.rendering import Web, catalogue_of
from edge.web.texts import text
from shared.acts import ACTS, service_act
from shared.catalogue import CATEGORIES
from shared.text import Language

_ACT_TEXTS: Final = {
    "bills": "act.bills",
    "group_bills": "act.group_bills",
    "bill_inquiry": "act.bill_inquiry",
    "history": "act.history",
    "every_act": "act.every_act",
    "day_close": "act.day_close",
    "refunds": "act.refunds",
    "atm": "act.atm",
}


class Permission(msgspec.Struct, frozen=True):
    """One act, and whether it is permitted."""

    act: str
    name: str
    may: bool


class PermissionGroup(msgspec.Struct, frozen=True):
    """Acts that belong together."""

    name: str
    permissions: tuple[Permission, ...]


def permission_list(web: Web, permitted: Permitted, language: Language) -> list[PermissionGroup]:
    """Return what can be permitted to a person, and whether it is.

    Services that are not sold just now are left out: what was decided of them stays as it is.
    """
    acts = tuple(Permission(act, text(_ACT_TEXTS[act], language), permitted.may(act)) for act in ACTS)
    groups = [PermissionGroup(text("act.counter", language), acts)]
    catalogue = catalogue_of(web)
    for category in CATEGORIES:
        services = tuple(
            Permission(service_act(one.code), one.name.word(language), permitted.may_sell(one.code))
            for one in catalogue.in_category(category)
        )
        if services:
            groups.append(PermissionGroup(text(f"category.{category}", language), services))
    return groups
