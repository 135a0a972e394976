"""Which providers there are: one table a provider in a TOML file, by the name that catalogues use.

    [gateway]
    shape = "gateway"                     # or "rahvar": which of the two public shapes it speaks
    url = "https://api.example"
    client = "daftar"
    secret_file = "/etc/daftar/gateway"   # or token_file: its first line; kept out of this file
    [gateway.paths]                       # where a call lies elsewhere, or is not documented
    passport_post = "/kyc/v2/clients/{client}/passportPost"

`billing` is asked about bills and told of their payment. With one address for all (a sandbox's) every name is there.
"""

from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from central.providers.connector import ProviderConnector
from central.providers.envelope import Credentials
from central.providers.gateway import DEFAULT_CLIENT, GatewayConnector
from central.providers.rahvar import RahvarConnector
from central.providers.wire import CALL_DEADLINE_MS
from shared.clock import Clock
from shared.errors import OperatorError

SANDBOX: Final[dict[str, Literal["gateway", "rahvar"]]] = {
    "billing": "gateway",
    "gateway": "gateway",
    "rahvar": "rahvar",
}
"""The names that the built-in catalogue uses, and the shape behind each."""
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider."""

    shape: Literal["gateway", "rahvar"]
    url: str
    client: str = DEFAULT_CLIENT
    secret_file: str = ""
    """The client's secret, by which a token is got; of `rahvar` its API key."""
    token_file: str = ""
    """A token that is given."""
    national_id: str = ""
    scopes: str = ""
    deadline_ms: int = CALL_DEADLINE_MS
    image_hosts: tuple[str, ...] = ()
    """Hosts beside its own that its pictures may lie at."""
    paths: dict[str, str] = {}


def read_providers(path: Path) -> dict[str, ProviderSettings]:
    """Return the providers of a file. Raises OperatorError `provider.bad_settings`."""
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=dict[str, ProviderSettings])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OperatorError("provider.bad_settings", file=str(path), why=str(error)) from error
    for name, provider in found.items():
        address = urlsplit(provider.url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise OperatorError("provider.bad_settings", file=str(path), why=f"{name}: url is no address")
        has_key = bool(provider.secret_file or provider.token_file)
        if address.scheme == "http" and has_key and address.hostname not in _LOCAL:
            raise OperatorError("provider.bad_settings", file=str(path), why=f"{name}: a key needs https")
    return found


def sandbox_providers(url: str) -> dict[str, ProviderSettings]:
    """Return the providers of one address that speaks both shapes."""
    return {name: ProviderSettings(shape=shape, url=url) for name, shape in SANDBOX.items()}


def connected(name: str, provider: ProviderSettings, clock: Clock) -> ProviderConnector:
    """Return a provider's connector. Raises OperatorError `provider.bad_settings` for a key that cannot be read."""
    secret, token = _first_line(provider.secret_file), _first_line(provider.token_file)
    if provider.shape == "rahvar":
        return RahvarConnector(
            provider.url,
            clock=clock,
            name=name,
            api_key=secret,
            token=token,
            paths=provider.paths,
            image_hosts=provider.image_hosts,
            deadline_ms=provider.deadline_ms,
        )
    return GatewayConnector(
        provider.url,
        clock=clock,
        name=name,
        credentials=Credentials(
            client=provider.client,
            token=token,
            secret=secret,
            national_id=provider.national_id,
            scopes=provider.scopes,
        ),
        paths=provider.paths,
        image_hosts=provider.image_hosts,
        deadline_ms=provider.deadline_ms,
    )


def _first_line(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError("provider.bad_settings", file=path, why=str(error)) from error
