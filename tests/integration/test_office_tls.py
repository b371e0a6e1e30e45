"""TLS with a private authority, made by the very lines of the manual: who is believed, at both ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from office_hall import an_office
from workstation_kit import Enrolled, open_window

from back_office.cli import main
from back_office.embedded import enrolment_code
from back_office.settings import Settings
from clerk_app.bootstrap import enrol_with
from clerk_app.desk.ports import LinkState
from clerk_app.failures import Failure
from clerk_app.settings import Settings as WindowSettings
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.transport import TimeOuts

MANUAL = Path(__file__).parents[2] / "docs" / "back-office.md"
PATIENCE = TimeOuts(connect=10.0, read=20.0)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the manual, and those of another authority of the same name."""
    assert shutil.which("openssl"), "openssl makes the certificates of the manual"
    lines = next(b for b in re.findall(r"```sh\n(.*?)```", MANUAL.read_text("utf-8"), re.S) if "openssl" in b)
    folder = tmp_path_factory.mktemp("keys")
    for where in (folder, folder / "other"):
        where.mkdir(exist_ok=True)
        subprocess.run(["bash", "-e"], input=lines, text=True, cwd=where, check=True, capture_output=True)
    _expired(folder)
    return folder


def _expired(folder: Path) -> None:
    """A certificate of the authority that ended yesterday: openssl makes none in the past."""
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    own = x509.load_pem_x509_certificate((folder / "office.pem").read_bytes())
    now = datetime.now(UTC)
    names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "office.example")]))
        .issuer_name(authority.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now - timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(signer, hashes.SHA256())
    )
    (folder / "expired.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with an_office(tmp_path_factory.mktemp("office") / "data") as settings:
        yield settings


@contextmanager
def _served(office: Settings, *options: str, port: int = 0) -> Iterator[str]:
    """`back-office serve` in a process of its own; its https address."""
    command = [sys.executable, "-m", "back_office", "--data", str(office.data_dir), "serve"]
    with subprocess.Popen(
        [*command, "--port", str(port), *options],
        stderr=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("BACK_OFFICE")},
    ) as process:
        assert process.stderr is not None
        try:
            entry: dict[str, object] = {}
            while entry.get("event") != "serving":
                entry = json.loads(process.stderr.readline())
            yield f"https://127.0.0.1:{entry['port']}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            process.wait(30)


@pytest.fixture(scope="module")
def url(office: Settings, keys: Path) -> Iterator[str]:
    told = ("--tls-certificate", str(keys / "office.pem"), "--tls-key", str(keys / "office.key"))
    with _served(office, *told) as address:
        yield address


@pytest.fixture(scope="module")
def closed_url(office: Settings, keys: Path) -> Iterator[str]:
    """An office that talks to computers of its authority only."""
    told = ("--tls-certificate", str(keys / "office.pem"), "--tls-key", str(keys / "office.key"))
    with _served(office, *told, "--client-ca", str(keys / "ca.pem")) as address:
        yield address


def _answer(url: str, ca: Path | None = None, certificate: Path | None = None) -> str:
    """The code of the failure, or "" when the office answered."""
    client = OfficeClient(url, ca=ca, certificate=certificate, time_outs=PATIENCE)
    try:
        client.time()
    except Failure as failure:
        return failure.code
    finally:
        client.close()
    return ""


def test_fault_18_the_office_of_the_private_authority_is_believed(url: str, keys: Path) -> None:
    assert _answer(url, keys / "ca.pem") == ""


def test_fault_18_an_authority_nobody_named_is_not_believed(url: str) -> None:
    assert _answer(url) == "SYNC-TLS"


def test_fault_18_another_authority_of_the_same_name_is_not_believed(url: str, keys: Path) -> None:
    assert _answer(url, keys / "other" / "ca.pem") == "SYNC-TLS"


def test_fault_18_the_certificate_of_another_host_is_not_believed(url: str, keys: Path) -> None:
    assert _answer(url.replace("127.0.0.1", "localhost"), keys / "ca.pem") == "SYNC-TLS"


def test_fault_18_an_expired_certificate_is_not_believed(office: Settings, keys: Path) -> None:
    told = ("--tls-certificate", str(keys / "expired.pem"), "--tls-key", str(keys / "office.key"))
    with _served(office, *told) as address:
        assert _answer(address, keys / "ca.pem") == "SYNC-TLS"


def test_a_certificate_file_that_is_gone_is_told(url: str, keys: Path) -> None:
    assert _answer(url, keys / "nothing.pem") == "SYNC-TLS"
    assert _answer(url, keys / "ca.pem", keys / "nothing.pem") == "SYNC-TLS"
    assert _answer(url, keys / "ca.pem", keys / "ca.pem") == "SYNC-TLS", "a certificate without its key"


NOT_LET_IN = "SYNC-OFFLINE"
"""With TLS 1.3 a certificate is judged when the window's part is done: the office hangs up, no word."""


def test_a_computer_without_a_certificate_is_not_let_in(closed_url: str, keys: Path) -> None:
    assert _answer(closed_url, keys / "ca.pem") == NOT_LET_IN


def test_a_certificate_of_another_authority_is_not_let_in(closed_url: str, keys: Path) -> None:
    foreign = keys / "other" / "window-12.pem"
    assert _answer(closed_url, keys / "ca.pem", foreign) == NOT_LET_IN


def test_the_office_s_own_certificate_opens_nothing(closed_url: str, keys: Path) -> None:
    """It is for serving; whoever stole it from the proxy is no window."""
    both = keys / "office-both.pem"
    both.write_bytes((keys / "office.key").read_bytes() + (keys / "office.pem").read_bytes())
    assert _answer(closed_url, keys / "ca.pem", both) == NOT_LET_IN


def test_a_window_with_its_own_certificate_is_let_in(closed_url: str, keys: Path) -> None:
    assert _answer(closed_url, keys / "ca.pem", keys / "window-12.pem") == ""


def test_files_that_are_no_certificate_stop_serve(
    office: Settings, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that belongs to another key would greet every window with a broken line."""
    wrong = str(keys / "ca.key")
    for told in (
        ["--tls-certificate", wrong],
        ["--tls-certificate", str(keys / "ca.pem"), "--tls-key", wrong + "x"],
    ):
        assert main(["--data", str(office.data_dir), "serve", "--port", "0", *told]) == 1
        assert capsys.readouterr().err.startswith("OFFICE-TLS")


@pytest.mark.parametrize("half", [("--tls-key", "office.key"), ("--client-ca", "ca.pem")])
def test_half_of_tls_is_no_plain_http(
    office: Settings, keys: Path, capsys: pytest.CaptureFixture[str], half: tuple[str, str]
) -> None:
    """Who asks for certificates of clients must not get an office that lets in everybody.

    The port is no port: without the rule the command fails there instead of serving for ever.
    """
    told = [half[0], str(keys / half[1])]
    assert main(["--data", str(office.data_dir), "serve", "--port=-1", *told]) == 1
    said = capsys.readouterr().err
    assert said.startswith("OFFICE-TLS") and f"{half[0]} needs --tls-certificate" in said


def test_a_window_behind_tls_from_enrolment_to_an_office_nobody_vouches_for(
    office: Settings, keys: Path, tmp_path: Path
) -> None:
    """Enrolled with both files, it works; when the certificate is another's it is offline and says so."""
    ours = ("--tls-certificate", str(keys / "office.pem"), "--tls-key", str(keys / "office.key"))
    theirs = keys / "other"
    false = ("--tls-certificate", str(theirs / "office.pem"), "--tls-key", str(theirs / "office.key"))
    with _served(office, *ours, "--client-ca", str(keys / "ca.pem")) as address:
        settings = WindowSettings(
            tmp_path / "window",
            office_url=address,
            office_ca=str(keys / "ca.pem"),
            office_certificate=str(keys / "window-12.pem"),
        )
        enrolled = Enrolled(settings)
        enrol_with(settings, enrolment_code(office, window="12"), enrolled.key, enrolled.tokens)
        window = open_window(enrolled, "tcp://127.0.0.1:1")
        window.start()
        try:
            window.until_link(LinkState.ONLINE)
        finally:
            window.close()
    port = int(address.rsplit(":", 1)[1])
    with _served(office, *false, port=port):
        window = open_window(enrolled, "tcp://127.0.0.1:1")
        window.start()
        try:
            window.until(lambda: window.workstation.link.code == "SYNC-TLS")
            assert window.workstation.link.state is LinkState.OFFLINE
            window.until(lambda: "office-not-trusted" in _acts(window.workstation.store))
        finally:
            window.close()


def _acts(store: object) -> list[str]:
    links = store.read(lambda tx: tx.audit.after(0, 100))  # type: ignore[attr-defined]
    return [link.act for link in links]
