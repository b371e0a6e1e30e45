"""The few acts that need the office's answer at once, and enrolment."""

from __future__ import annotations

import json

import keyring
import keyring.backend
import keyring.errors
import pytest
from sync_hall import DEVICE, NOW, Answers

from clerk_app.desk.ports import Seal
from clerk_app.domain.ticket import Series, TicketState
from clerk_app.failures import Failure
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.enrolment import KeyringTokens, device_of, enrol
from clerk_app.sync.office import DirectOffice
from clerk_app.sync.transport import OfficeFailure

JSON = {"Content-Type": "application/json"}
TICKET = {
    "id": "t-1",
    "number": "A037",
    "series": "A",
    "state": "called",
    "issued_at": NOW.isoformat(),
    "version": 3,
    "window": "12",
    "calls": 1,
    "reason": "order",
}
SESSION = {
    "token": "session-1",
    "staff_no": "1024",
    "name": "王芳",
    "name_en": "Wang Fang",
    "rights": ["accept"],
    "not_after": NOW.isoformat(),
}
ENROLLED = {
    "device": "dev-1",
    "epoch": 1,
    "token": "device-token",
    "hall_code": "MY01",
    "hall_name": "绵阳市政务服务中心",
    "hall_name_en": "Mianyang Service Hall",
    "region": "510700",
    "window": "12",
    "queue": "general",
    "practice": False,
}


class Script:
    """Answers by path; remembers what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, object]] = {}
        self.asked: list[tuple[str, dict[str, object], dict[str, str]]] = []
        self.lose = 0
        self.server = Answers(self.answer)

    def answer(self, request):
        body = json.loads(request.body) if request.body else {}
        self.asked.append((f"{request.command} {request.path}", body, dict(request.headers)))
        status, answer = self.answers[request.path]
        if self.lose:
            self.lose -= 1
            request.close_connection = True
            request.connection.shutdown(2)
            return status, {}, b""
        return status, JSON, b"" if answer is None else json.dumps(answer).encode()


@pytest.fixture
def script():
    script = Script()
    yield script
    script.server.close()


@pytest.fixture
def office(script):
    client = OfficeClient(script.server.url, token="device-token")
    yield DirectOffice(client, DEVICE)
    client.close()


def test_a_clerk_signs_in_and_calls_under_the_session(script, office):
    script.answers["/v1/session"] = (200, SESSION)
    script.answers["/v1/queues/general/call"] = (200, {"ticket": TICKET})
    signed_in = office.sign_in("1024", "secret")
    assert (signed_in.operator.name, signed_in.operator.rights) == ("王芳", {"accept"})
    ticket = office.call_next("request-1")
    assert (ticket.number, ticket.state) == ("A037", TicketState.CALLED)
    path, body, headers = script.asked[-1]
    assert path == "POST /v1/queues/general/call"
    assert body == {"request_id": "request-1", "window": "12"}
    assert headers["X-Clerk-Session"] == "session-1"


def test_a_lost_answer_is_asked_for_again_under_the_same_id(script, office):
    script.answers["/v1/queues/general/call"] = (200, {"ticket": TICKET})
    script.lose = 1
    assert office.call_next("request-1").number == "A037"
    assert [body["request_id"] for _, body, _ in script.asked] == ["request-1", "request-1"]


def test_two_lost_answers_are_the_desks_to_ask_for_again(script, office):
    script.answers["/v1/queues/general/call"] = (200, {"ticket": TICKET})
    script.lose = 2
    with pytest.raises(OfficeFailure) as caught:
        office.call_next("request-1")
    assert caught.value.code == "SYNC-OFFLINE"


def test_nobody_waits(script, office):
    script.answers["/v1/queues/general/call"] = (200, {"ticket": None})
    assert office.call_next("request-1") is None


def test_recall_names_the_ticket(script, office):
    script.answers["/v1/queues/general/recall"] = (200, {"ticket": TICKET | {"calls": 2}})
    assert office.recall("request-2", "t-1").calls == 2
    script.answers["/v1/queues/general/recall"] = (200, {"ticket": None})
    with pytest.raises(Failure):
        office.recall("request-3", "t-1")


def test_tickets_are_issued_and_withdrawn_under_the_session(script, office):
    waiting = TICKET | {"state": "waiting", "calls": 0, "window": None}
    script.answers["/v1/session"] = (200, SESSION)
    script.answers["/v1/queues/general/series"] = (200, {"series": [{"code": "A", "kind": "general"}]})
    script.answers["/v1/queues/general/tickets"] = (200, waiting)
    script.answers["/v1/queues/general/tickets/t-1/void"] = (200, waiting | {"state": "void", "version": 4})
    office.sign_in("1024", "secret")
    assert office.series() == (Series("A", "general"),)
    script.lose = 1
    assert office.issue_ticket("request-1", "A").state is TicketState.WAITING
    assert office.void_ticket("request-2", "t-1").state is TicketState.VOID
    asked = [(path.rsplit("/", 1)[1], body) for path, body, _ in script.asked[-3:]]
    issue = ("tickets", {"request_id": "request-1", "series": "A"})
    assert asked == [issue, issue, ("void", {"request_id": "request-2", "reason": "not_printed"})]
    assert script.asked[-1][2]["X-Clerk-Session"] == "session-1"


def test_a_ticket_somebody_called_keeps_the_offices_own_code(script, office):
    script.answers["/v1/queues/general/tickets/t-1/void"] = (409, {"code": "OFFICE-TICKET-STATE"})
    with pytest.raises(Failure, match="OFFICE-TICKET-STATE"):
        office.void_ticket("request-1", "t-1")


def test_a_wrong_password_keeps_the_offices_own_code(script, office):
    script.answers["/v1/session"] = (401, {"code": "SIGN-IN-WRONG"})
    with pytest.raises(Failure) as caught:
        office.sign_in("1024", "wrong")
    assert caught.value.code == "SIGN-IN-WRONG"
    script.answers["/v1/session"] = (401, {"code": "SOMETHING-NEW"})
    with pytest.raises(Failure) as caught:
        office.sign_in("1024", "wrong")
    assert caught.value.code == "SYNC-RIGHTS"


def test_signing_out_ends_the_session_once(script, office):
    script.answers["/v1/session"] = (200, SESSION)
    office.sign_in("1024", "secret")
    script.answers["/v1/session"] = (204, None)
    office.sign_out()
    office.sign_out()
    assert [path for path, _, _ in script.asked] == ["POST /v1/session", "DELETE /v1/session"]


SIGNED = {"text": '{"what":"grant"}', "seal": "ab"}


def test_the_grant_is_kept_as_the_office_signed_it(script, office):
    script.answers["/v1/session"] = (200, SESSION | {"grant": SIGNED})
    assert office.sign_in("1024", "secret").operator.grant == Seal(SIGNED["text"], SIGNED["seal"])


def test_a_new_session_ends_the_one_before(script, office):
    for token in ("session-1", "session-2"):
        script.answers["/v1/session"] = (200, SESSION | {"token": token})
        office.sign_in("1024", "secret")
    (path, _, headers) = script.asked[-1]
    assert (path, headers["X-Clerk-Session"]) == ("DELETE /v1/session", "session-1")


def test_a_second_person_is_proved_without_ending_the_clerks_session(script, office):
    script.answers["/v1/queues/general/call"] = (200, {"ticket": TICKET})
    script.answers["/v1/session"] = (200, SESSION)
    office.sign_in("1024", "secret")
    other = SESSION | {"token": "session-2", "staff_no": "1001", "grant": SIGNED}
    script.answers["/v1/session"] = (200, other)
    second = office.prove("1001", "word")
    assert (second.staff_no, second.grant) == ("1001", Seal(SIGNED["text"], SIGNED["seal"]))
    assert script.asked[-1][2]["X-Clerk-Session"] == "session-2", "his session is over at once"
    office.call_next("request-1")
    assert script.asked[-1][2]["X-Clerk-Session"] == "session-1"


class Keeper:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def save(self, device_id: str, token: str) -> None:
        self.kept[device_id] = token

    def load(self, device_id: str) -> str | None:
        return self.kept.get(device_id)

    def forget(self, device_id: str) -> None:
        self.kept.pop(device_id, None)


def test_enrolment_keeps_the_token_and_makes_the_device(script):
    script.answers["/v1/enrol"] = (200, ENROLLED)
    keeper = Keeper()
    answer = enrol(script.server.url, " ABCD-EFGH ", "PC-12", keeper)
    assert keeper.kept == {"dev-1": "device-token"}
    assert script.asked[0][1] == {"code": "ABCD-EFGH", "machine": "PC-12", "epoch": 0}
    assert device_of(answer) == DEVICE


def test_a_used_code_is_named(script):
    script.answers["/v1/enrol"] = (403, {"code": "UNHEARD-OF"})
    with pytest.raises(Failure) as caught:
        enrol(script.server.url, "ABCD", "PC-12", Keeper())
    assert caught.value.code == "SYNC-CODE"


class LockedKeyring(keyring.backend.KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        raise keyring.errors.KeyringLocked

    def set_password(self, service, username, password):
        raise keyring.errors.KeyringLocked

    def delete_password(self, service, username):
        raise keyring.errors.KeyringLocked


class OpenKeyring(keyring.backend.KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def use_keyring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def test_a_workstation_without_a_keyring_does_not_spend_the_code(script, use_keyring):
    use_keyring(LockedKeyring())
    with pytest.raises(Failure) as caught:
        enrol(script.server.url, "ABCD", "PC-12", KeyringTokens())
    assert caught.value.code == "SYNC-NO-KEYRING"
    assert script.asked == []


def test_the_keyring_keeps_and_forgets_a_token(use_keyring):
    use_keyring(OpenKeyring())
    tokens = KeyringTokens()
    tokens.save("dev-1", "token")
    assert tokens.load("dev-1") == "token"
    tokens.forget("dev-1")
    tokens.forget("dev-1")
    assert tokens.load("dev-1") is None
