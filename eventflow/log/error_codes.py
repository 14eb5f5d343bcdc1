"""The error codes of Redis and Valkey, and whether the refused command may succeed later.

The codes are those in the source of Redis 7.0 and 8.0 and Valkey 7.2 to 9.1, and those of Sentinel.
"""

from __future__ import annotations

import re
from enum import Enum

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    ExecAbortError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)


class Refusal(Enum):
    """How the server refused a command, which decides whether to repeat it."""

    TRANSIENT = "transient"  #: the same command may succeed later
    WRONG_SERVER = "wrong-server"  #: this server doesn't take it; a new connection may lead to another one
    FINAL = "final"  #: the command is wrong, on any server and at any time


_TRANSIENT, _WRONG_SERVER, _FINAL = Refusal.TRANSIENT, Refusal.WRONG_SERVER, Refusal.FINAL

#: The refusal by error code. For ERR the text decides; see `_TRANSIENT_TEXTS`.
REFUSALS: dict[str, Refusal] = {
    "ASK": _FINAL,  # a cluster's redirection; its own client follows it
    "BUSY": _TRANSIENT,  # a script runs longer than busy-reply-threshold
    "BUSYGROUP": _FINAL,
    "BUSYKEY": _FINAL,
    "CLUSTERDOWN": _TRANSIENT,
    "CROSSSLOT": _FINAL,
    "DENIED": _TRANSIENT,  # protected mode: an operator changes it
    "ERR": _FINAL,
    "EXECABORT": _FINAL,
    "FAILOVER": _TRANSIENT,
    "INPROG": _TRANSIENT,
    "INVALIDOBJ": _FINAL,
    "IOERR": _TRANSIENT,
    "LOADING": _TRANSIENT,
    "MASTERDOWN": _WRONG_SERVER,  # a replica that has lost its master
    "MISCONF": _TRANSIENT,  # the disk is full, or a snapshot failed
    "MOVED": _FINAL,  # a cluster's redirection; its own client follows it
    "NOADDR": _FINAL,
    "NOAUTH": _TRANSIENT,  # redis-py makes a new connection, which authenticates
    "NOGOODPRIMARY": _TRANSIENT,
    "NOGOODREPLICA": _TRANSIENT,
    "NOGOODSLAVE": _TRANSIENT,
    "NOGROUP": _FINAL,  # the worker creates the group again
    "NOMASTERLINK": _TRANSIENT,
    "NOPERM": _TRANSIENT,  # an operator changes rights while the server runs
    "NOPROTO": _FINAL,
    "NOQUORUM": _TRANSIENT,
    "NOREPLICAS": _TRANSIENT,
    "NOSCRIPT": _FINAL,  # the script is sent whole
    "NOSUB": _FINAL,
    "NOTBUSY": _FINAL,
    "NOTREADY": _TRANSIENT,
    "OOM": _TRANSIENT,
    "READONLY": _WRONG_SERVER,  # a replica; a master until a failover, perhaps
    "REDIRECT": _WRONG_SERVER,  # Valkey: a replica redirects a client that supports it
    "TRYAGAIN": _TRANSIENT,
    "UNBLOCKED": _WRONG_SERVER,  # the master became a replica during a blocking read
    "UNKILLABLE": _TRANSIENT,  # as BUSY, but the script has written
    "WRONGPASS": _TRANSIENT,  # an operator changes it
    "WRONGTYPE": _FINAL,
}
#: Texts after ERR that blame the server's state, not the command: of Redis, and of services that stand in for it.
_TRANSIENT_TEXTS = (
    "acl failure in script",  # Valkey's NOPERM within a script
    "max number of clients",
    "max clients",
    "shutting down",
    "shutdown in progress",
    "failover in progress",
    "max requests limit",
    "max daily request limit",
    "max concurrent",
    "throttled",
    "rate limit",
    "upstream",
    "connection timed out",
)

#: redis-py removes the code from the text where it has a class for it.
_CODES: tuple[tuple[type[RedisError], str], ...] = (
    (MovedError, "MOVED"),  # a subclass of the next
    (AskError, "ASK"),
    (AuthenticationError, "NOAUTH"),
    (BusyLoadingError, "LOADING"),
    (MasterDownError, "MASTERDOWN"),  # a subclass of the next
    (ClusterDownError, "CLUSTERDOWN"),
    (ClusterCrossSlotError, "CROSSSLOT"),
    (ExecAbortError, "EXECABORT"),
    (NoPermissionError, "NOPERM"),
    (NoScriptError, "NOSCRIPT"),
    (OutOfMemoryError, "OOM"),
    (ReadOnlyError, "READONLY"),
    (TryAgainError, "TRYAGAIN"),
)
_CODE = re.compile(r"-?([A-Z][A-Z0-9]{2,})(?: |$)")


def refusal_of(error: Exception) -> Refusal:
    """The refusal that an error reply means, of a command or of a script that passes on a command's error.

    An unknown code is transient: it doesn't say that the command is wrong. A text without a code is the error of a
    script, and final.
    """
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    text = str(error)
    if code is None:
        found = _CODE.match(text)
        code = found[1] if found else "ERR"
    refusal = REFUSALS.get(code, _TRANSIENT)
    if code == "ERR" and any(part in text[:200].lower() for part in _TRANSIENT_TEXTS):
        return _TRANSIENT
    return refusal
