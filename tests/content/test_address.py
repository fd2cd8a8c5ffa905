import socket
from ipaddress import ip_address, ip_network

import pytest

from content.address import RefusedConnection, guarded_sockets, is_refused

REFUSED = [
    *("127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "2002:a00:1::"),
    *(
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001:0:7f00:1::1",
        "3fff::1",
        "192.88.99.1",
    ),
]
PUBLIC = [
    *("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"),
]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert is_refused(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not(address: str) -> None:
    assert not is_refused(ip_address(address))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "127.0.0.0/8"),
        ("::ffff:127.0.0.1", "127.0.0.0/8"),
        ("64:ff9b::10.0.0.1", "10.0.0.0/8"),
        ("::1", "::1/128"),
        ("fd12::1", "fd00::/8"),
    ],
)
def test_an_allowed_network_may_be_reached(address: str, network: str) -> None:
    assert not is_refused(ip_address(address), [ip_network(network)])
    assert is_refused(ip_address(address), [ip_network("172.16.0.0/12")])


def test_no_socket_is_made_for_a_refused_address() -> None:
    make = guarded_sockets([ip_network("127.0.0.0/8")])
    make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))).close()
    with pytest.raises(RefusedConnection):
        make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("10.0.0.1", 80)))
    with pytest.raises(RefusedConnection):
        make((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("fe80::1%lo", 80, 0, 1)))
