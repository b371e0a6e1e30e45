"""What SQLite and the file system say, as failures a clerk can read out.

Only the world's failures are mapped. A broken constraint or a wrong statement is our bug and stays the
exception it is.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2

from clerk_app.failures import Failure

_SQLITE = MappingProxyType(
    {
        3: "STORE-READ-ONLY",  # SQLITE_PERM
        5: "STORE-IN-USE",  # SQLITE_BUSY: another connection holds the file
        6: "STORE-IN-USE",  # SQLITE_LOCKED
        8: "STORE-READ-ONLY",  # SQLITE_READONLY
        10: "STORE-IO",  # SQLITE_IOERR
        11: "STORE-DAMAGED",  # SQLITE_CORRUPT
        13: "STORE-FULL",  # SQLITE_FULL
        14: "STORE-IO",  # SQLITE_CANTOPEN
        26: "STORE-DAMAGED",  # SQLITE_NOTADB: page 1 does not decrypt
    }
)
"""Primary result codes of https://sqlite.org/rescode.html and the failure each one is."""

_ERRNO = MappingProxyType(
    {
        errno.EACCES: "STORE-READ-ONLY",
        errno.EPERM: "STORE-READ-ONLY",
        errno.EROFS: "STORE-READ-ONLY",
        errno.ENOSPC: "STORE-FULL",
        errno.EDQUOT: "STORE-FULL",
    }
)


@contextmanager
def sqlite_faults() -> Iterator[None]:
    """Raise the Failure that a SQLite error inside the block means; other exceptions pass."""
    try:
        yield
    except DBAPIError as error:
        raise _failure(error.orig) or error from error
    except dbapi2.Error as error:
        raise _failure(error) or error from error


@contextmanager
def file_faults() -> Iterator[None]:
    """Raise the Failure that an OSError inside the block means."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise Failure(_ERRNO.get(error.errno or 0, "STORE-IO"), name) from error


def _failure(error: BaseException | None) -> Failure | None:
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
    code = _SQLITE.get(number)
    return Failure(code, f"{getattr(error, 'sqlite_errorname', 'SQLite')} ({number})") if code else None
