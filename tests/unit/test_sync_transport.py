"""Only the office is believed; everything else that answers, or does not, is named for what it is."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sync_hall import NOW, Answers

from clerk_app import failures
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import CallRequest, TimeAnswer
from clerk_app.sync.transport import OfficeFailure, TimeOuts

JSON = {"Content-Type": "application/json"}
GOOD = json.dumps({"now": NOW.isoformat()}).encode()
PATIENCE = TimeOuts(connect=1.0, read=0.2)


@pytest.fixture
def asked():
    """`asked(status, headers, body)` is what asking the time comes to when the office answers that."""
    servers = []

    def ask(status: int, headers: dict[str, str], body: bytes) -> TimeAnswer:
        server = Answers(lambda _request: (status, headers, body))
        client = OfficeClient(server.url, time_outs=PATIENCE)
        servers.append((server, client))
        return client.time()

    yield ask
    for server, client in servers:
        client.close()
        server.close()


@pytest.fixture
def line():
    """A listening socket whose conversation the test writes by hand: `line(talk)` gives its url."""
    listeners, threads = [], []

    def listen(talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            try:
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        talk(connection)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        threads.append(thread)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield listen
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


def code_of(call) -> str:
    with pytest.raises(Failure) as caught:
        call()
    assert caught.value.code in failures.codes()
    return caught.value.code


def test_an_answer_of_the_office_is_decoded(asked):
    assert asked(200, JSON, GOOD) == TimeAnswer(NOW)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>sign in to the network</html>"),
        (200, JSON, b"<html>"),
        (200, JSON, b'{"hello": "world"}'),
        (200, JSON, b'{"now": "yesterday"}'),
        (200, JSON, b'{"now": 3}'),
        (200, JSON, b"\xff\xfe\x00"),
        (200, {}, GOOD),
        (302, {"Location": "http://portal.example/", "Content-Type": "application/json"}, GOOD),
        (401, {"Content-Type": "text/html"}, b"<html>proxy</html>"),
        (404, {"Content-Type": "text/html"}, b"<html>nothing here</html>"),
        (511, {"Content-Type": "text/html"}, b"<html>sign in</html>"),
        (200, JSON | {"Content-Encoding": "gzip"}, b"not gzip at all"),
    ],
)
def test_a_captive_portal_is_not_the_office(asked, status, headers, body):
    assert code_of(lambda: asked(status, headers, body)) == "SYNC-NOT-OFFICE"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "SYNC-REJECTED"),
        (401, "SYNC-RIGHTS"),
        (403, "SYNC-RIGHTS"),
        (410, "SYNC-RESYNC"),
        (422, "SYNC-REJECTED"),
        (423, "SYNC-FENCED"),
    ],
)
def test_a_refusal_has_its_own_code(asked, status, code):
    problem = json.dumps({"code": "OFFICE-SAYS-NO"}).encode()
    assert code_of(lambda: asked(status, JSON, problem)) == code


def test_a_gap_says_what_is_expected(asked):
    with pytest.raises(OfficeFailure) as caught:
        asked(409, JSON, b'{"code": "OFFICE-GAP", "expected_seq": 7}')
    assert caught.value.code == "SYNC-GAP"
    assert caught.value.problem.expected_seq == 7


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize(
    ("header", "seconds"), [({}, None), ({"Retry-After": "7"}, 7.0), ({"Retry-After": "soon"}, None)]
)
def test_a_busy_office_may_say_when_to_come_back(asked, status, header, seconds):
    with pytest.raises(OfficeFailure) as caught:
        asked(status, {"Content-Type": "text/html"} | header, b"<html>gateway</html>")
    assert (caught.value.code, caught.value.retry_after) == ("SYNC-BUSY", seconds)


def test_a_date_to_come_back_is_understood(asked):
    with pytest.raises(OfficeFailure) as caught:
        asked(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"")
    assert caught.value.retry_after == 0.0


def test_nobody_there_is_offline():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert code_of(OfficeClient(f"http://127.0.0.1:{port}").time) == "SYNC-OFFLINE"


def test_a_line_that_breaks_before_the_answer_is_offline(line):
    assert code_of(OfficeClient(line(lambda connection: None)).time) == "SYNC-OFFLINE"


def test_a_line_that_breaks_inside_the_answer_is_offline(line):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
    assert code_of(OfficeClient(line(lambda c: c.sendall(head + GOOD))).time) == "SYNC-OFFLINE"


def test_bytes_that_are_not_http_are_not_the_office(line):
    assert code_of(OfficeClient(line(lambda c: c.sendall(b"220 smtp ready\r\n"))).time) == "SYNC-NOT-OFFICE"


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"]
)
def test_no_answer_in_time_is_slow(line, begun):
    done = threading.Event()

    def stall(connection) -> None:
        connection.sendall(begun)
        done.wait(5)

    client = OfficeClient(line(stall), time_outs=PATIENCE)
    assert code_of(client.time) == "SYNC-SLOW"
    done.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A private authority's certificate and key for 127.0.0.1, as one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "office.test")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "office.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + built.public_bytes(pem))
    return file


@pytest.fixture
def secure(certificate):
    """The address of an office that proves itself by that certificate."""
    server = Answers(lambda _request: (200, JSON, GOOD), certificate)
    yield server.url
    server.close()


def test_a_certificate_nobody_vouches_for_is_refused(secure):
    assert code_of(OfficeClient(secure).time) == "SYNC-TLS"


def test_a_private_authority_named_in_the_settings_is_believed(secure, certificate):
    client = OfficeClient(secure, ca=certificate)
    assert client.time() == TimeAnswer(NOW)
    client.close()


def test_the_certificate_of_another_machine_is_refused(secure, certificate):
    url = secure.replace("127.0.0.1", "localhost")
    assert code_of(OfficeClient(url, ca=certificate).time) == "SYNC-TLS"


@pytest.mark.parametrize("end", [OfficeClient.cut, OfficeClient.close])
def test_what_is_under_way_can_be_cut_from_another_thread(line, end):
    asked, done = threading.Event(), threading.Event()

    def never(_connection) -> None:
        asked.set()
        done.wait(10)

    client = OfficeClient(line(never), time_outs=TimeOuts(1.0, 30.0))
    ended = []
    thread = threading.Thread(target=lambda: ended.append(code_of(client.time)))
    begun = time.monotonic()
    thread.start()
    asked.wait(5)
    end(client)
    thread.join(5)
    done.set()
    assert ended == ["SYNC-OFFLINE"]
    assert time.monotonic() - begun < 5
    assert code_of(client.time) == "SYNC-OFFLINE"


def test_what_is_under_way_over_tls_can_be_cut_too(secure, certificate):
    client = OfficeClient(secure, ca=certificate)
    client.time()
    client.cut()
    assert code_of(client.time) == "SYNC-OFFLINE"


def test_the_device_and_the_clerk_prove_themselves_and_the_environment_does_not(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen = {}

    def answer(request):
        seen.update(request.headers)
        return 200, JSON, b'{"ticket": null}'

    server = Answers(answer)
    client = OfficeClient(server.url, token="device-token")
    client.call("general", CallRequest("r1", "12"), "clerk-session")
    client.close()
    server.close()
    assert seen["Authorization"] == "Bearer device-token"
    assert seen["X-Clerk-Session"] == "clerk-session"
