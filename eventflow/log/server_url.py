"""Checks the URL of a log server.

It names the server and the user; it can't set how clients talk to the server.

`eventflow.log.connection` decides that, since time-outs, retries and numbers of connections depend on each other.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

EXAMPLE = "redis://HOST:PORT/0"
_SCHEME = re.compile(r"(rediss?(\+cluster)?|unix)")
_SENTINEL = "sentinel"

Check = Callable[[str], bool]


class UrlRefused(ValueError):
    """A fault of a server's URL; the message never repeats the URL, which may hold a password."""


def _one_of(*values: str) -> Check:
    return lambda value: value.lower() in values


def _given(value: str) -> bool:
    return bool(value)


def _verify_flags(value: str) -> bool:
    return all(flag.strip() in ssl.VerifyFlags.__members__ for flag in value.strip("[]").split(","))


#: The options of redis-py's URLs that are allowed; all others are refused.
OPTIONS: dict[str, Check] = {
    "client_name": lambda value: re.fullmatch(r"[!-~]+", value) is not None,
    "db": str.isdecimal,
    "password": _given,
    "protocol": _one_of("2", "3"),
    "username": _given,
}
#: The options that TLS adds.
TLS_OPTIONS: dict[str, Check] = {
    "ssl_ca_certs": _given,
    "ssl_ca_data": _given,
    "ssl_ca_path": _given,
    "ssl_cert_reqs": _one_of("none", "optional", "required"),
    "ssl_certfile": _given,
    "ssl_check_hostname": _one_of("0", "1", "f", "t", "false", "true", "n", "y", "no", "yes"),
    "ssl_ciphers": _given,
    "ssl_exclude_verify_flags": _verify_flags,
    "ssl_include_verify_flags": _verify_flags,
    "ssl_keyfile": _given,
    "ssl_min_version": _one_of(str(int(ssl.TLSVersion.TLSv1_2)), str(int(ssl.TLSVersion.TLSv1_3))),
    "ssl_password": _given,
}


def checked_url(url: str) -> str:
    """Return `url` unchanged. Raises UrlRefused, which names the fault."""
    parts = urlsplit(url)
    if _SENTINEL in parts.scheme:
        raise UrlRefused(
            "Sentinel isn't supported. Name a proxy or a DNS name that follows "
            f"failovers ({EXAMPLE}), or use a cluster (redis+cluster://HOST:PORT,HOST:PORT)"
        )
    named = parts.path if parts.scheme == "unix" else parts.netloc
    if not _SCHEME.fullmatch(url.partition(":")[0]) or not named:  # in lower case, as redis-py wants it
        raise UrlRefused(f"its value is not of the form {EXAMPLE}")
    if parts.fragment:
        raise UrlRefused("it has a # in it; write it as %23, in a password too")
    _check_place(parts)
    _check_options(parts)
    return url


def _check_place(parts: SplitResult) -> None:
    cluster = parts.scheme.endswith("+cluster")
    for host in parts.netloc.rpartition("@")[2].split(",") if cluster else (parts.netloc,):
        try:
            _ = urlsplit(f"//{host}").port
        except ValueError as error:
            raise UrlRefused(
                "its port isn't a number up to 65535; write / ? # @ : in a password as %2F %3F %23 %40 %3A"
            ) from error
    if parts.scheme != "unix" and not re.fullmatch(r"(/\d*)?", unquote(parts.path)):
        raise UrlRefused(f"only the number of a database may follow the host: {EXAMPLE}")
    if cluster and parts.path.strip("/0"):
        raise UrlRefused("a cluster has database 0 only")


def _check_options(parts: SplitResult) -> None:
    allowed = {**OPTIONS, **(TLS_OPTIONS if parts.scheme.startswith("rediss") else {})}
    given = parse_qsl(parts.query, keep_blank_values=True)
    if refused := [name for name, _ in given if name not in allowed]:
        tls = "" if len(allowed) > len(OPTIONS) else "; with rediss:// also those for TLS (ssl_...)"
        raise UrlRefused(
            f"its options {', '.join(dict.fromkeys(refused))} can't be set: eventflow decides on time-outs, retries, "
            f"connections and encoding itself; available: {', '.join(allowed)}{tls}"
        )
    if wrong := [name for name, value in given if not allowed[name](value)]:
        raise UrlRefused(f"its options {', '.join(wrong)} have invalid values")
