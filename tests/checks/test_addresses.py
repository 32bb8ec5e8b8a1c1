"""Tests how addresses are parsed and which are checked."""

from ipaddress import ip_address

import pytest

from custom_components.tunnel_hub.checks.addresses import (
    InvalidAddressError,
    NotCheckable,
    Protocol,
    Target,
    Zone,
    tunnel_target,
    watched_target,
    zone_of,
)


@pytest.mark.parametrize(
    "protocol, address, host, port, label",
    [
        ("tcp", "node.example:2222", "node.example", 2222, "node.example:2222"),
        ("TCP", "203.0.113.7:22", "203.0.113.7", 22, "203.0.113.7:22"),
        ("tcp", "[2001:db8::1]:22", "2001:db8::1", 22, "[2001:db8::1]:22"),
        ("http", "home.example", "home.example", 80, "home.example"),
        ("http", "home.example:8080", "home.example", 8080, "home.example:8080"),
        ("https", "home.example", "home.example", 443, "home.example"),
        ("https", "家.example", "xn--fct.example", 443, "xn--fct.example"),
        ("https", "my_home.example/", "my_home.example", 443, "my_home.example"),
    ],
)
def test_a_tunnels_address(protocol: str, address: str, host: str, port: int, label: str) -> None:
    target = tunnel_target(protocol, address)
    assert target == Target(Protocol(protocol.lower()), host, port)
    assert isinstance(target, Target)
    assert target.label == label


@pytest.mark.parametrize(
    "protocol, address, reason",
    [
        ("udp", "node.example:53", NotCheckable.PROTOCOL),
        ("stcp", None, NotCheckable.PROTOCOL),
        ("xtcp", None, NotCheckable.PROTOCOL),
        ("hysteria2", "node.example:443", NotCheckable.PROTOCOL),
        (None, "node.example:443", NotCheckable.PROTOCOL),
        ("tcp", None, NotCheckable.NO_ADDRESS),
        ("http", "", NotCheckable.NO_ADDRESS),
        ("tcp", "node.example", NotCheckable.INVALID_ADDRESS),
        ("tcp", "node.example:0", NotCheckable.INVALID_ADDRESS),
        ("tcp", "node.example:70000", NotCheckable.INVALID_ADDRESS),
        ("tcp", "node.example:22-40", NotCheckable.INVALID_ADDRESS),
        ("tcp", ":22", NotCheckable.INVALID_ADDRESS),
        ("http", "a b.example", NotCheckable.INVALID_ADDRESS),
        ("http", "a.example\r\nX: y", NotCheckable.INVALID_ADDRESS),
        ("http", "a.example/api?x=1", NotCheckable.INVALID_ADDRESS),
        ("http", "x" * 300, NotCheckable.INVALID_ADDRESS),
        ("http", "a..example", NotCheckable.INVALID_ADDRESS),
        ("http", "[::1", NotCheckable.INVALID_ADDRESS),
    ],
)
def test_unchecked_tunnels(protocol: str | None, address: str | None, reason: NotCheckable) -> None:
    assert tunnel_target(protocol, address) is reason


@pytest.mark.parametrize(
    "address, target",
    [
        ("https://a.example", Target(Protocol.HTTPS, "a.example", 443, "/", Zone.MACHINE)),
        (" HTTP://a.example:81/x ", Target(Protocol.HTTP, "a.example", 81, "/x", Zone.MACHINE)),
        ("https://a.example?k=s", Target(Protocol.HTTPS, "a.example", 443, "/?k=s", Zone.MACHINE)),
        ("tcp://127.0.0.1:22", Target(Protocol.TCP, "127.0.0.1", 22, "/", Zone.MACHINE)),
        ("localhost:22", Target(Protocol.TCP, "localhost", 22, "/", Zone.MACHINE)),
        ("[fe80::1]:22", Target(Protocol.TCP, "fe80::1", 22, "/", Zone.MACHINE)),
    ],
)
def test_a_watched_address(address: str, target: Target) -> None:
    assert watched_target(address) == target


@pytest.mark.parametrize(
    "address, reason",
    [
        ("", "invalid_address"),
        ("a.example", "invalid_address"),
        ("http://", "invalid_address"),
        ("http://a.example:99999", "invalid_address"),
        ("http://a b/", "invalid_address"),
        ("ftp://a.example", "protocol_not_checkable"),
        ("udp://a.example:53", "protocol_not_checkable"),
        ("https://me:secret@a.example", "credentials_in_address"),
        ("https://token@a.example", "credentials_in_address"),
    ],
)
def test_invalid_addresses(address: str, reason: str) -> None:
    with pytest.raises(InvalidAddressError) as caught:
        watched_target(address)
    assert caught.value.reason == reason
    assert "secret" not in repr(caught.value)


def test_repr_and_label_hide_the_path() -> None:
    target = watched_target("https://a.example/api/secret?token=secret")
    assert "secret" in target.path
    assert "secret" not in repr(target) + target.label


@pytest.mark.parametrize(
    "address, zone",
    [
        ("1.1.1.1", Zone.INTERNET),
        ("2606:4700::1111", Zone.INTERNET),
        ("100.64.0.1", Zone.INTERNET),
        ("198.18.0.7", Zone.INTERNET),
        ("10.0.0.1", Zone.NETWORK),
        ("172.16.9.1", Zone.NETWORK),
        ("192.168.1.1", Zone.NETWORK),
        ("fd00::1", Zone.NETWORK),
        ("::ffff:192.168.1.1", Zone.NETWORK),
        ("64:ff9b::c0a8:101", Zone.NETWORK),
        ("127.0.0.1", Zone.MACHINE),
        ("127.8.8.8", Zone.MACHINE),
        ("0.0.0.0", Zone.MACHINE),
        ("169.254.169.254", Zone.MACHINE),
        ("224.0.0.1", Zone.MACHINE),
        ("255.255.255.255", Zone.MACHINE),
        ("::1", Zone.MACHINE),
        ("::", Zone.MACHINE),
        ("fe80::1", Zone.MACHINE),
        ("ff02::1", Zone.MACHINE),
        ("::ffff:127.0.0.1", Zone.MACHINE),
        ("64:ff9b::7f00:1", Zone.MACHINE),
    ],
)
def test_zones(address: str, zone: Zone) -> None:
    assert zone_of(ip_address(address)) is zone
