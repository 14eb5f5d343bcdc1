"""What a server says no with, and what that means for the command: every error code of Redis and Valkey.

The codes are those that the programs hold as text (Redis 7.0 and 8.0, Valkey 7.2 to 9.1), and those of Sentinel.
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
    """PASSING: the same command may be taken later. MISLED: the connection leads to a server that doesn't take it;
    a new one may lead elsewhere. FINAL: what was sent is wrong, whoever it is sent to, and whenever."""

    PASSING = "passing"
    MISLED = "misled"
    FINAL = "final"


_PASSING, _MISLED, _FINAL = Refusal.PASSING, Refusal.MISLED, Refusal.FINAL

#: Of ERR it goes by the text; see `_PASSING_TEXTS`.
REFUSALS: dict[str, Refusal] = {
    "ASK": _FINAL,  # a cluster's redirection; its own client follows it
    "BUSY": _PASSING,  # a script runs longer than busy-reply-threshold
    "BUSYGROUP": _FINAL,
    "BUSYKEY": _FINAL,
    "CLUSTERDOWN": _PASSING,
    "CROSSSLOT": _FINAL,
    "DENIED": _PASSING,  # protected mode: an operator changes it
    "ERR": _FINAL,
    "EXECABORT": _FINAL,
    "FAILOVER": _PASSING,
    "INPROG": _PASSING,
    "INVALIDOBJ": _FINAL,
    "IOERR": _PASSING,
    "LOADING": _PASSING,
    "MASTERDOWN": _MISLED,  # a replica that has lost its master
    "MISCONF": _PASSING,  # the disk is full, or a snapshot failed
    "MOVED": _FINAL,  # a cluster's redirection; its own client follows it
    "NOADDR": _FINAL,
    "NOAUTH": _PASSING,  # redis-py makes a new connection, which authenticates
    "NOGOODPRIMARY": _PASSING,
    "NOGOODREPLICA": _PASSING,
    "NOGOODSLAVE": _PASSING,
    "NOGROUP": _FINAL,  # the worker makes the group anew
    "NOMASTERLINK": _PASSING,
    "NOPERM": _PASSING,  # rights are given and taken while the server runs
    "NOPROTO": _FINAL,
    "NOQUORUM": _PASSING,
    "NOREPLICAS": _PASSING,
    "NOSCRIPT": _FINAL,  # the script is sent whole
    "NOSUB": _FINAL,
    "NOTBUSY": _FINAL,
    "NOTREADY": _PASSING,
    "OOM": _PASSING,
    "READONLY": _MISLED,  # a replica; a master until a failover, perhaps
    "REDIRECT": _MISLED,  # Valkey's word for a replica's to a client that may be sent elsewhere
    "TRYAGAIN": _PASSING,
    "UNBLOCKED": _MISLED,  # the master has become a replica while a read waited there
    "UNKILLABLE": _PASSING,  # as BUSY, of a script that has written
    "WRONGPASS": _PASSING,  # an operator changes it
    "WRONGTYPE": _FINAL,
}
#: Texts behind ERR which say that it is the server's state, not the command: Redis, and services that stand in for it.
_PASSING_TEXTS = (
    "acl failure in script",  # Valkey's NOPERM for a command of a script
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

#: redis-py cuts the code off where it has a class for it.
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
    """What an error reply means: one of the client's, or of a script that passes on what a command of it was told.

    A code that isn't known is passing: whatever it says of the server, the command was never found wrong. A text
    without a code is that of a script that failed, and final.
    """
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    text = str(error)
    if code is None:
        found = _CODE.match(text)
        code = found[1] if found else "ERR"
    refusal = REFUSALS.get(code, _PASSING)
    if code == "ERR" and any(passing in text[:200].lower() for passing in _PASSING_TEXTS):
        return _PASSING
    return refusal
