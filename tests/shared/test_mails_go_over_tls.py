"""`smtps://` and `?starttls=true`: the server has to show a certificate that this host trusts, for its name."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.resources import Resources
from tests.shared.mail_server import mail_server
from tests.shared.rows import messages, waiting_mails

WAYS = pytest.mark.parametrize("starttls", [False, True], ids=["smtps", "starttls"])


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of "localhost", signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


def _options(certificate: Path, *, starttls: bool) -> dict[str, object]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return {"tls_context": context, "require_starttls": True} if starttls else {"ssl_context": context}


def _url(url: str, host: str, *, starttls: bool) -> str:
    url = url.replace("127.0.0.1", host)
    return f"{url}?starttls=true" if starttls else url.replace("smtp://", "smtps://")


@WAYS
def test_to_a_server_that_is_trusted(
    resources_for: Callable[..., Resources], certificate: Path, monkeypatch: pytest.MonkeyPatch, starttls: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(**_options(certificate, starttls=starttls)) as server:
        resources = resources_for(smtp_url=_url(server.url, "localhost", starttls=starttls))
        emails = waiting_mails(resources, 3)
        resources.mails.run_once()
        assert server.recipients == [[email] for email in emails]


@WAYS
@pytest.mark.parametrize(("host", "trusted"), [("localhost", False), ("127.0.0.1", True)], ids=["unknown", "misnamed"])
def test_nothing_to_another(
    resources_for: Callable[..., Resources], certificate: Path, monkeypatch: pytest.MonkeyPatch,
    starttls: bool, host: str, trusted: bool,
) -> None:  # fmt: skip
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(**_options(certificate, starttls=starttls)) as server:
        resources = resources_for(smtp_url=_url(server.url, host, starttls=starttls))
        waiting_mails(resources, 1)
        resources.mails.run_once()
        assert server.mails == []
    [row] = messages(resources.database, "mail")
    assert row.last_error == "The mail server did not take it (SSLCertVerificationError)."
