"""Tells which internet addresses are public: only to these may a fetch on a user's behalf connect."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Ranges that are not public, but global to some versions of `ipaddress`.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # shared by a provider's customers; a cloud's metadata, too
        "168.63.129.16/32",  # a cloud's own service under a public address
        "169.254.0.0/16",  # link-local, with the metadata of most clouds
        "192.0.0.0/24",
        "192.88.99.0/24",  # relays to 6to4
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # protocols' own addresses, Teredo among them: IPv4 inside
        "2001:db8::/32",
        "2002::/16",  # 6to4: IPv4 inside
        "3fff::/20",
        "5f00::/16",
    )
)
#: Addresses outside are mapped (::ffff:0:0/96), translated (64:ff9b::/96), unique local, link-local or multicast.
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")


def is_public(address: Address) -> bool:
    """Tell whether the address is public; IPv6 addresses with an embedded IPv4 address are not."""
    if address.version == 6 and address not in _PUBLIC_V6:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _REFUSED if network.version == address.version)


def parse(text: str) -> Address | None:
    """Parse an address in its usual form, with or without brackets; None for any other text."""
    try:
        return ipaddress.ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
