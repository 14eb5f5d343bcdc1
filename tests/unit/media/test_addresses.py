"""Which addresses are public."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.assets.public_addresses import is_public, parse

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8
64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1::1 2001:db8::1 2002:7f00:1::
2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1
"""


@pytest.mark.parametrize("text", PRIVATE.split())
def test_private_addresses(text: str) -> None:
    address = parse(text)
    assert address is not None
    assert not is_public(address)


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:81b::200e"])
def test_public_addresses(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_no_public_address_is_public_inside_ipv6(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for carrier in ("::", "::ffff:0:0", "64:ff9b::"):
        assert not is_public(ipaddress.IPv6Address(int(ipaddress.IPv6Address(carrier)) | number))
    assert not is_public(ipaddress.IPv6Address(0x2002 << 112 | number << 80))


@pytest.mark.parametrize("text", ["127.1", "0x7f000001", "2130706433", "localhost", "", "1.2.3.4.5", "010.0.0.1"])
def test_odd_forms_are_no_addresses(text: str) -> None:
    assert parse(text) is None
