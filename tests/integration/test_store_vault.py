"""The key lives in a keyring that the operating system protects, or there is no cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.backends.SecretService import Keyring as SecretService
from keyring.errors import InitError, KeyringError, KeyringLocked

from clerk_app.failures import Failure
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey, KeyringKey, fingerprint, open_key, throw_away_key

CHILD = Path(__file__).with_name("store_child.py")


class Shelf(SecretService):
    """A keyring of the system's kind over a dictionary."""

    def __init__(self, error: Exception | None = None, forgets: bool = False) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.error = error
        self.forgets = forgets

    def get_password(self, service: str, username: str) -> str | None:
        if self.error:
            raise self.error
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgets:
            self.kept[service, username] = password


Shelf.__module__ = SecretService.__module__


class PlainFile(Shelf):
    """A keyring somebody installed that writes what it is given beside the data."""


@pytest.fixture(autouse=True)
def _the_keyring_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, fail.Keyring())


def use(monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)


def refusal(*, create: bool = True) -> str:
    with pytest.raises(Failure) as failure:
        open_key("clerk-app", "cache", create=create)
    return failure.value.code


def test_the_key_is_made_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    use(monkeypatch, shelf)
    key = open_key("clerk-app", "cache", create=True)
    assert len(key) == 32
    assert open_key("clerk-app", "cache", create=True) == key
    assert open_key("clerk-app", "cache", create=False) == key
    assert open_key("clerk-app", "other", create=True) != key


@pytest.mark.parametrize("backend", [fail.Keyring(), null.Keyring(), PlainFile()])
def test_a_keyring_that_protects_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend
) -> None:
    use(monkeypatch, backend)
    assert refusal() == "STORE-NO-KEYRING"


def chain(*members: KeyringBackend) -> chainer.ChainerBackend:
    class Chain(chainer.ChainerBackend):
        backends = tuple(members)
        viable = False  # every subclass is registered for good: no later test may be given this one

    return Chain()


def test_a_chain_is_as_good_as_its_first_protected_member(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, chain())
    assert refusal() == "STORE-NO-KEYRING"
    use(monkeypatch, chain(PlainFile()))
    assert refusal() == "STORE-NO-KEYRING"
    plain, shelf = PlainFile(), Shelf()
    use(monkeypatch, chain(plain, shelf))
    open_key("clerk-app", "cache", create=True)
    assert (plain.kept, len(shelf.kept)) == ({}, 1)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyringLocked("locked"), "STORE-KEYRING-LOCKED"),
        (InitError("no collection"), "STORE-NO-KEYRING"),
        (KeyringError("?"), "STORE-NO-KEYRING"),
        (ConnectionResetError("bus"), "STORE-NO-KEYRING"),
    ],
)
def test_a_keyring_that_fails(monkeypatch: pytest.MonkeyPatch, error: Exception, code: str) -> None:
    use(monkeypatch, Shelf(error))
    assert refusal() == code


def test_a_keyring_that_forgets_is_found_out_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, Shelf(forgets=True))
    with pytest.raises(Failure, match="STORE-NO-KEYRING"):
        SqlStore.open(tmp_path / "cache", KeyringKey("clerk-app", "cache"))
    assert not (tmp_path / "cache" / "cache.db").exists()


def test_the_key_of_a_cache_that_exists_is_never_made_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shelf, source = Shelf(), KeyringKey("clerk-app", "cache")
    use(monkeypatch, shelf)
    SqlStore.open(tmp_path / "cache", source).close()
    kept = dict(shelf.kept)
    shelf.kept.clear()
    for _ in range(2):
        with pytest.raises(Failure, match="STORE-KEY-LOST"):
            SqlStore.open(tmp_path / "cache", source)
    shelf.kept = dict.fromkeys(kept, "not a key")
    with pytest.raises(Failure, match="STORE-KEY-LOST"):
        SqlStore.open(tmp_path / "cache", source)
    shelf.kept = kept
    SqlStore.open(tmp_path / "cache", source).close()


def test_practice_never_touches_the_keyring_and_its_key_is_not_shown(tmp_path: Path) -> None:
    key = throw_away_key()
    SqlStore.open(tmp_path / "cache", key).close()  # the keyring in use here refuses everything
    assert key.secret.hex() not in repr(key)
    assert key != throw_away_key()
    assert fingerprint(key.secret) != fingerprint(GivenKey(bytes(32)).secret)


@pytest.mark.keyring
def test_with_a_real_secret_service(tmp_path: Path) -> None:
    """gnome-keyring on a bus of its own: the key is made, kept, found again, and missed when absent."""
    script = (
        "printf x | gnome-keyring-daemon --unlock --components=secrets "
        '--control-directory="$HOME" >"$HOME/log"; exec "$0" "$@"'
    )
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    command = ["dbus-run-session", "--", "sh", "-c", script, sys.executable, str(CHILD), "keyring"]
    told = subprocess.run(
        [*command, str(tmp_path / "cache")], env=environment, check=True, capture_output=True, text=True
    )
    assert json.loads(told.stdout) == {"kept": "yes", "lost": "STORE-KEY-LOST"}


@pytest.mark.keyring
@pytest.mark.parametrize("backend", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_without_a_keyring_the_program_says_so_and_writes_nothing(tmp_path: Path, backend: str) -> None:
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": backend}
    script = (
        "import sys, pathlib; from clerk_app.store.cache import SqlStore; "
        "from clerk_app.store.vault import KeyringKey; "
        "SqlStore.open(pathlib.Path(sys.argv[1]), KeyringKey('clerk-app test', 'cache'))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cache")],
        env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert "STORE-NO-KEYRING" in told.stderr
    assert not (tmp_path / "cache" / "cache.db").exists()
