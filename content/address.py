"""The guard that keeps URLs away from private addresses (server-side request forgery).

It checks the address that a socket is about to connect to. So it also stops a host name whose DNS answer
changes between two look-ups, and an address that is written as a number, in octal or inside an IPv6 address.
"""

import socket
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType


Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# RFC 6052 (NAT64), RFC 4291 section 2.5.5.1 (IPv4-compatible): the IPv4 address is in the last 32 bits.
_IPV4_AT_END = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
# From IANA's special-purpose registries (RFC 6890); the list of `ipaddress` depends on Python's version.
# IPv4: shared, IETF, 6to4 relays, benchmarks. IPv6: local NAT64, discard, Teredo, documentation, segment
# routing.
_SPECIAL: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        *("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16"),
    )
)


class RefusedConnection(OSError):
    """No connection was made to `address`, because it is not public."""

    def __init__(self, address: str) -> None:
        super().__init__(f"{address} is not a public address")
        self.address = address


def _with_embedded(address: Address) -> Iterator[Address]:
    """The address, and every IPv4 address that is embedded in it and that a router may forward to."""
    yield address
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        if address.sixtofour:
            yield address.sixtofour
        if any(address in network for network in _IPV4_AT_END):
            yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    return not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or (isinstance(address, IPv6Address) and address.is_site_local)
        or any(address in network for network in _SPECIAL)
    )


def is_refused(address: Address, allowed: Iterable[Network] = ()) -> bool:
    """Whether `address` is neither public nor inside one of the `allowed` networks.

    An IPv6 address with an IPv4 address inside is judged by the IPv4 address.
    """
    addresses = tuple(_with_embedded(address))
    if any(one in network for network in allowed for one in addresses):
        return False
    return not all(map(_is_public, addresses[1:] or addresses))


def guarded_sockets(allowed: Iterable[Network] = ()) -> "Callable[[AddrInfoType], socket.socket]":
    """A socket factory for `aiohttp.TCPConnector` that raises RefusedConnection for a refused address."""
    networks = tuple(allowed)

    def open_socket(info: "AddrInfoType") -> socket.socket:
        family, kind, protocol, _, where = info
        host = str(where[0]).partition("%")[0]
        if is_refused(ip_address(host), networks):
            raise RefusedConnection(host)
        return socket.socket(family, kind, protocol)

    return open_socket
