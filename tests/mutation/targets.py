"""Which tests have to notice a change of which file: quick ones first, each group only if none did before."""

from __future__ import annotations

from dataclasses import dataclass

_NO_SERVERS = "not postgresql"


@dataclass(frozen=True, slots=True)
class Target:
    """Groups of test files. `only` as pytest's -k: tests in other processes cannot see a mutant."""

    tests: tuple[tuple[str, ...], ...]
    only: str = _NO_SERVERS


def _unit(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/unit/test_{name}.py" for name in names)


def _property(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/property/test_{name}_machine.py" for name in names)


def _integration(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/integration/test_{name}.py" for name in names)


def _window(*own: str, machines: tuple[str, ...] = ()) -> Target:
    groups = (_unit(*own), _property(*machines), _integration("sync_outages"))
    return Target(tuple(group for group in groups if group))


_PUSH = (
    "sync_push",
    "sync_restored",
    "sync_settling",
    "sync_audit",
    "sync_exchange",
    "sync_thin_line",
    "sync_identity",
)

TARGETS: dict[str, Target] = {
    "clerk_app/domain/numbering.py": Target((_unit("domain_small", "scanned"), _property("numbers"))),
    "back_office/commands.py": Target(
        (
            _property("push"),
            _integration("office_push", "office_restored"),
            _integration("office_held", "office_hostile", "office_faults", "office_audit"),
        )
    ),
    "back_office/held.py": Target((_property("push"), _integration("office_held"))),
    "back_office/blocks.py": Target(
        (
            _property("numbers"),
            _integration("office_push", "office_restored"),
            _integration("office_offline", "office_faults", "office_hostile"),
        )
    ),
    "back_office/feed.py": Target((_property("feed"), _integration("office_feed", "office_restored"))),
    "back_office/seals.py": Target((_unit("seals"), _property("numbers"), _integration("office_restored"))),
    "clerk_app/sync/alarms.py": _window("sync_pull", "sync_restored", "sync_digests"),
    "clerk_app/sync/audit.py": _window("sync_audit", "sync_push"),
    "clerk_app/sync/backoff.py": _window("sync_scheduler"),
    "clerk_app/sync/blocks.py": _window("sync_blocks", machines=("numbers",)),
    "clerk_app/sync/digests.py": _window("sync_digests", machines=("feed",)),
    "clerk_app/sync/envelope.py": _window("envelope"),
    "clerk_app/sync/exchange.py": _window("sync_exchange", "sync_digests", "sync_identity", "sync_restored"),
    "clerk_app/sync/facts.py": _window("sync_pull", "sync_settling", machines=("store", "feed")),
    "clerk_app/sync/identity.py": _window("sync_identity"),
    "clerk_app/sync/messages.py": _window("sync_pull", "sync_push", machines=("feed", "numbers")),
    "clerk_app/sync/pace.py": _window("sync_thin_line", "sync_push", "sync_pull"),
    "clerk_app/sync/protocol/commands.py": _window("sync_push", machines=("push",)),
    "clerk_app/sync/protocol/feed.py": _window("sync_digests", machines=("feed",)),
    "clerk_app/sync/pull.py": _window(
        "sync_pull", "sync_restored", "sync_digests", machines=("feed", "numbers")
    ),
    "clerk_app/sync/push.py": _window(*_PUSH, machines=("numbers",)),
    "clerk_app/sync/seals.py": _window("seals", "sync_blocks"),
    "clerk_app/sync/settling.py": _window("sync_settling", "sync_push", "sync_restored", machines=("store",)),
    "clerk_app/sync/slices.py": _window("sync_pull", "sync_push"),
    "clerk_app/sync/transport.py": _window("sync_transport", "sync_catalogue_file"),
}
