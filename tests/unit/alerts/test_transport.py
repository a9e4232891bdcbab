"""Where messages may go: what a name leads to is looked up once, checked, and connected to."""

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from backoffice import transport
from backoffice.alerts.signing import make_secret, sign_message
from backoffice.transport import NotDelivered, is_inside, send_request
from tests.integration.alerts.receiver import Receiver, running_receiver


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("8.8.8.8", False),
        ("2a00:1450:4007:80e::200e", False),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),  # metadata of most clouds
        ("100.100.100.200", True),  # and of another, in the shared addresses of carriers
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("198.18.0.1", True),
        ("::1", True),
        ("::", True),
        ("fe80::1", True),
        ("fe80::1%eth0", True),
        ("fd00:ec2::254", True),
        ("ff02::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("::127.0.0.1", True),
        ("64:ff9b::7f00:1", True),
        ("2002:7f00:1::", True),
        ("2001:0:7f00:1::", True),
    ],
)
def test_what_is_no_machine_of_the_public_internet_is_inside(address: str, inside: bool) -> None:
    assert is_inside(address) is inside


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Has every name lead to these addresses; the names that were looked up."""
    asked: list[str] = []
    original = socket.getaddrinfo

    def look_up(host: str, port: int, *how: Any, **more: Any) -> list[Any]:
        if host in addresses:  # which is how a connection to an address is made
            return original(host, port, *how, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def post(url: str, *, allows_internal: bool = True) -> int:
    return send_request("POST", url, headers={}, body=b"{}", timeout_s=2, allows_internal=allows_internal).status


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = leads_to(monkeypatch, "127.0.0.1")
    assert post(receiver.url("/204", host="receiver.example")) == 204
    assert asked == ["receiver.example"]
    assert receiver.got[0].headers["host"] == f"receiver.example:{receiver.port}"


def test_a_name_that_leads_inside_as_well_is_refused(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "93.184.216.34", "127.0.0.1")
    with pytest.raises(NotDelivered, match=r"receiver\.example leads to an address inside"):
        post(receiver.url("/204", host="receiver.example"), allows_internal=False)
    assert receiver.got == []


@pytest.mark.parametrize("url", ["https://", "gopher://example.com/", "http://127.0.0.1:1/", "http://a..b/"])
def test_what_cannot_be_reached_is_said_in_words(url: str) -> None:
    with pytest.raises(NotDelivered) as refused:
        post(url)
    assert str(refused.value)


def a_certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for a name, and the file by which it is trusted."""
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem


def test_tls_is_checked_against_the_name_though_an_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, pem = a_certificate(tmp_path, "receiver.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    transport._trusted.cache_clear()
    leads_to(monkeypatch, "127.0.0.1")
    try:
        with running_receiver(context) as receiver:
            assert post(receiver.url("/204", host="receiver.example", scheme="https")) == 204
            with pytest.raises(NotDelivered, match="CERTIFICATE_VERIFY_FAILED"):
                post(receiver.url("/204", host="other.example", scheme="https"))
    finally:
        transport._trusted.cache_clear()


def test_a_signature_is_the_one_of_the_specification() -> None:
    """The example of the specification's own libraries."""
    signature = sign_message(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert len({make_secret() for _ in range(10)}) == 10
