"""The line over HTTPS, with a central whose certificate is out of date by this machine's clock."""

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.uplink.address import CentralAddress
from edge.uplink.enrolment import enrol
from edge.uplink.line_watch import LineWatch
from edge.uplink.trusted import trusted
from shared.entropy import SystemEntropy
from shared.errors import PeerError
from tests.edge.uplink.servers import Day, make_app, serving
from tests.edge.uplink.test_client import KeySigner, Office
from tests.sync.models import new_pair

YEAR = timedelta(days=366)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def write_certificate(path: Path, begins: datetime) -> None:
    """Write a certificate of one year, and its key, for a server at this machine that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "central")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + YEAR)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(plain + made.public_bytes(pem))


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the certificate lies that this box's authorities vouch for, once it is written."""
    path = tmp_path / "central.pem"
    create = httpx.create_ssl_context

    def with_ours(*, trust_env: bool) -> ssl.SSLContext:
        context = create(trust_env=trust_env)
        context.load_verify_locations(path)
        return context

    monkeypatch.setattr(httpx, "create_ssl_context", with_ours)
    trusted.cache_clear()
    yield path
    trusted.cache_clear()


@pytest.mark.parametrize("begins", [LONG_AGO, datetime(2100, 1, 1, tzinfo=UTC)], ids=["run out", "not yet"])
async def test_the_line_needs_no_clock_and_the_enrolment_does(certificate: Path, begins: datetime) -> None:
    write_certificate(certificate, begins)
    box, central = new_pair()
    box.write(3)
    day = Day(central.receive)
    with serving(make_app(day), certificate=certificate) as url:
        office = Office(url, box, central, day)
        assert (await office.uplink.exchange_once()).kind == "ok"
        assert box.cosigned_size == 3
        await office.uplink.close()
        assert await LineWatch(url, CentralAddress(url), every_ms=10).reachable_again(seen_down=True) is False
        with pytest.raises(PeerError, match=r"exchange\.unreachable"):
            enrol(url, "ABCD-EFGH-JKLM", signer=KeySigner(), software="test", entropy=SystemEntropy())


async def test_whom_no_authority_vouches_for_is_not_spoken_to(certificate: Path, tmp_path: Path) -> None:
    write_certificate(certificate, LONG_AGO)
    write_certificate(tmp_path / "other.pem", LONG_AGO)
    box, central = new_pair()
    box.write(3)
    day = Day(central.receive)
    with serving(make_app(day), certificate=tmp_path / "other.pem") as url:
        office = Office(url, box, central, day)
        failed = await office.uplink.exchange_once()
        assert (failed.code, day.arrived) == ("exchange.unreachable", [])
        await office.uplink.close()
