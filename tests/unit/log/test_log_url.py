"""What EVENTFLOW_REDIS_URL may say: each option that redis-py knows is allowed or refused, by name."""

from __future__ import annotations

import inspect
import ssl

import pytest
from redis.asyncio import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import URL_QUERY_ARGUMENT_PARSERS, AbstractConnection, BlockingConnectionPool

from eventflow.log.connection import connect
from eventflow.log.server_url import OPTIONS, TLS_OPTIONS, UrlRefused, checked_url
from eventflow.settings import SettingsError, load_settings

VALUES = {
    "client_name": "eventflow",
    "db": "3",
    "protocol": "3",
    "ssl_cert_reqs": "none",
    "ssl_check_hostname": "no",
    "ssl_include_verify_flags": "VERIFY_X509_STRICT",
    "ssl_exclude_verify_flags": "[VERIFY_X509_STRICT, VERIFY_X509_PARTIAL_CHAIN]",
    "ssl_min_version": str(int(ssl.TLSVersion.TLSv1_3)),
}


def _all_options() -> set[str]:
    kinds = (AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection, BlockingConnectionPool)
    named = {name for kind in kinds for name in inspect.signature(kind.__init__).parameters}
    return (named | set(URL_QUERY_ARGUMENT_PARSERS)) - {"self", "kwargs", "connection_kwargs"}


@pytest.mark.parametrize("name", sorted({*OPTIONS, *TLS_OPTIONS}))
def test_what_may_be_given_reaches_the_connections(name: str) -> None:
    url = f"rediss://h:1/0?{name}={VALUES.get(name, 'x')}"
    assert checked_url(url) == url
    pool = connect(url).connection_pool
    assert name in pool.connection_kwargs
    pool.make_connection()  # which knows the option


@pytest.mark.parametrize("name", [*sorted(_all_options() - OPTIONS.keys() - TLS_OPTIONS.keys()), "no_such_option"])
def test_all_else_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"EVENTFLOW_REDIS_URL: its options {name} can't be set"):
        load_settings({"EVENTFLOW_REDIS_URL": f"redis://h/0?protocol=2&{name}=1"})


@pytest.mark.parametrize("name", sorted(TLS_OPTIONS))
def test_options_of_tls_are_for_tls(name: str) -> None:
    with pytest.raises(UrlRefused, match=rf"its options {name} .*rediss://"):
        checked_url(f"redis://h/0?{name}={VALUES.get(name, 'x')}")


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://h/",
        "redis://[::1]:6379/15",
        "rediss://user:p%40ss@h:6380/1?ssl_cert_reqs=required&ssl_ca_certs=/ca.pem&protocol=2",
        "redis+cluster://a:7000,b:7001/",
        "rediss+cluster://u:p@a,b:7001/0?ssl_check_hostname=false",
        "unix:///run/valkey.sock?db=2",
        "unix://user:pw@/run/valkey.sock",
    ],
)
def test_urls_that_are_right(url: str) -> None:
    assert load_settings({"EVENTFLOW_REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nowhere", "of the form redis://HOST:PORT/0"),
        ("redis://", "of the form redis://HOST:PORT/0"),
        ("http://h:1/0", "of the form redis://HOST:PORT/0"),
        ("REDISS://h:1/0", "of the form redis://HOST:PORT/0"),
        ("redis://[::1", "of the form redis://HOST:PORT/0"),
        ("redis+sentinel://h:26379/mymaster", "Sentinel isn't supported. Name a proxy or a DNS name that follows"),
        ("sentinel://h:26379", "Sentinel isn't supported"),
        ("redis://h:secret/0", "its port isn't a number up to 65535"),
        ("redis://h:70000/0", "its port isn't a number up to 65535"),
        ("redis+cluster://a:7000,b:secret/", "its port isn't a number"),
        ("redis://:secret#word@h/0", "write it as %23"),
        ("redis://h/secret", "the number of a database"),
        ("redis+cluster://h/3", "a cluster has database 0 only"),
        ("redis://h/0?db=-1", "its options db have invalid values"),
        ("redis://h/0?protocol=4", "its options protocol have invalid values"),
        ("rediss://h/0?ssl_cert_reqs=secret", "its options ssl_cert_reqs have invalid values"),
        ("redis://h/0?client_name=a%20b", "its options client_name have invalid values"),
        ("redis://h/0?socket_timeout=1&timeout=2&socket_timeout=3", "its options socket_timeout, timeout can't be set"),
    ],
)
def test_what_is_wrong_is_said_without_repeating_the_url(url: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"EVENTFLOW_REDIS_URL": url})
    (problem,) = caught.value.faults
    assert problem.startswith("EVENTFLOW_REDIS_URL: ")
    assert said in problem
    assert "secret" not in problem
