"""What a hall installs beside this program: entry points of our groups, in packages of its own."""

from __future__ import annotations

from importlib import metadata
from typing import Any

READERS = "clerk_app.card_readers"
PHOTO_DECODERS = "clerk_app.photo_decoders"


class NotInstalledError(Exception):
    """No package of this machine declares the entry point."""


def names(group: str) -> tuple[str, ...]:
    """Names of what is installed in `group`, sorted."""
    return tuple(sorted({point.name for point in metadata.entry_points(group=group)}))


def load(group: str, name: str) -> Any:
    """What the entry point names, imported. NotInstalledError when nothing has that name.

    Whatever the package raises while it is imported goes through.
    """
    for point in metadata.entry_points(group=group, name=name):
        return point.load()
    raise NotInstalledError(f"{name} is not installed; installed: {', '.join(names(group)) or 'none'}")
