"""What the doctor says of the office: unreachable, not the office, its clock, and a certificate that ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sync_hall import Answers

from clerk_app.clock import wall
from clerk_app.desk.ports import Check, Level
from clerk_app.doctor import office
from clerk_app.doctor.rounds import Rounds

JSON = {"Content-Type": "application/json"}
Serve = Callable[..., Answers]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(ahead, certificate)`: an office whose clock is `ahead` seconds ahead of ours."""
    servers: list[Answers] = []

    def start(ahead: float = 0.0, certificate: Path | None = None, body: bytes | None = None) -> Answers:
        def answer(_request: object) -> tuple[int, dict[str, str], bytes]:
            now = datetime.now(UTC) + timedelta(seconds=ahead)
            return 200, JSON, body or json.dumps({"now": now.isoformat()}).encode()

        servers.append(Answers(answer, certificate))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def certificate(folder: Path, days: float, name: str = "127.0.0.1") -> Path:
    """A private authority's certificate and key for `name`, that ends in `days`."""
    key = ec.generate_private_key(ec.SECP256R1())
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "office.test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(title)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"office-{days:g}.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + built.public_bytes(pem))
    return file


def look(url: str, ca: Path | str = "") -> dict[str, Check]:
    told: list[Check] = []
    Rounds(lambda _asked: (office.look(url, str(ca), wall),)).run(told.append)
    return {check.key: check for check in told}


def test_an_office_that_answers(serve: Serve) -> None:
    told = look(serve().url)
    assert {check.level for check in told.values()} == {Level.OK}
    assert abs(dict(told["clock"].values)["seconds"]) < 5
    assert told["certificate"].said == "none"


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    told = look(f"https://127.0.0.1:{port}")
    assert (told["office"].level, told["office"].code) == (Level.FAIL, "SYNC-OFFLINE")
    assert told["clock"].code == told["certificate"].code == "DOCTOR-NOT-CHECKED"


def test_no_address_means_not_enrolled() -> None:
    assert look("")["office"].code == "SETTINGS-NOT-ENROLLED"


def test_a_page_that_asks_to_sign_in_is_not_the_office(serve: Serve) -> None:
    assert look(serve(body=b"<html>").url)["office"].code == "SYNC-NOT-OFFICE"


@pytest.mark.parametrize(
    ("ahead", "code"), [(100, ""), (-100, ""), (140, "DOCTOR-CLOCK"), (-7200, "DOCTOR-CLOCK")]
)
def test_a_clock_that_differs_by_more_than_two_minutes_is_a_warning(
    serve: Serve, ahead: int, code: str
) -> None:
    told = look(serve(ahead).url)["clock"]
    assert told.code == code
    assert abs(dict(told.values)["seconds"] - ahead) < 5
    if code:
        assert ("ahead" if ahead > 0 else "behind") in told.detail


@pytest.mark.parametrize(
    ("days", "code"), [(400, ""), (31, ""), (29, "DOCTOR-CERTIFICATE-ENDS"), (1.5, "DOCTOR-CERTIFICATE-ENDS")]
)
def test_a_certificate_that_ends_within_a_month_is_a_warning(
    serve: Serve, tmp_path: Path, days: float, code: str
) -> None:
    file = certificate(tmp_path, days)
    told = look(serve(certificate=file).url, file)
    assert told["office"].level is Level.OK
    assert told["certificate"].code == code
    assert dict(told["certificate"].values)["days"] == int(days) - (days == int(days))


def test_an_expired_certificate_says_so(serve: Serve, tmp_path: Path) -> None:
    file = certificate(tmp_path, -1)
    told = look(serve(certificate=file).url, file)
    assert told["office"].code == "SYNC-TLS"
    assert (told["certificate"].level, told["certificate"].code) == (Level.FAIL, "SYNC-TLS")
    assert "expired" in told["certificate"].detail


def test_a_certificate_nobody_vouches_for(serve: Serve, tmp_path: Path) -> None:
    told = look(serve(certificate=certificate(tmp_path, 400)).url)
    assert told["certificate"].code == "SYNC-TLS"
    assert "self" in told["certificate"].detail


def test_a_file_of_the_authority_that_is_not_there_or_none(serve: Serve, tmp_path: Path) -> None:
    url = serve(certificate=certificate(tmp_path, 400)).url
    assert look(url, tmp_path / "nothing.pem")["office"].code == "SETTINGS-INVALID"
    (tmp_path / "empty.pem").write_text("nothing")
    assert {look(url, tmp_path / "empty.pem")[key].code for key in ("office", "certificate")} == {"SYNC-TLS"}


def test_an_office_that_never_answers_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "_PATIENCE", office.TimeOuts(connect=0.5, read=0.3))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = look(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert told["office"].code == "SYNC-SLOW"
