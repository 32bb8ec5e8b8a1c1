"""Tests the normalization of entered addresses."""

import pytest

from custom_components.tunnel_hub.api.address import base_url
from custom_components.tunnel_hub.api.errors import InvalidInputError


@pytest.mark.parametrize(
    "pasted, expected",
    [
        ("https://nodes.example.com", "https://nodes.example.com"),
        ("https://nodes.example.com/", "https://nodes.example.com"),
        ("  nodes.example.com ", "https://nodes.example.com"),
        ("nodes.example.com/dashboard", "https://nodes.example.com"),
        ("HTTPS://Nodes.Example.com/login?next=/#top", "https://nodes.example.com"),
        ("http://nodes.example.com:8787/api/stats", "http://nodes.example.com:8787"),
        ("https:/nodes.example.com", "https://nodes.example.com"),
        ("http.example.com", "https://http.example.com"),
        ("nodes.example.com:8443", "https://nodes.example.com:8443"),
        ("nodes.example.com.:8443", "https://nodes.example.com:8443"),
        ("https://nodes.example.com:443", "https://nodes.example.com"),
        ("“nodes.example.com”，", "https://nodes.example.com"),
        ("<https://nodes.example.com/?a=https://x>", "https://nodes.example.com"),
        # International names
        ("例子.cn/节点", "https://xn--fsqu00a.cn"),
        ("xn--fsqu00a.cn", "https://xn--fsqu00a.cn"),
        ("https：／／节点。例子．cn：8443／登录", "https://xn--3px729a.xn--fsqu00a.cn:8443"),
        ("नोड.भारत", "https://xn--e2bn9h.xn--h2brj9c"),
        # Public addresses
        ("8.8.8.8", "https://8.8.8.8"),
        ("2606:4700::1111", "https://[2606:4700::1111]"),
        # Private networks
        ("192.168.1.2:8787/", "http://192.168.1.2:8787"),
        ("10.0.0.1", "http://10.0.0.1"),
        ("169.254.7.7", "http://169.254.7.7"),
        ("100.101.102.103:8787", "http://100.101.102.103:8787"),
        ("https://100.101.102.103:8787", "https://100.101.102.103:8787"),
        ("100.128.0.1", "https://100.128.0.1"),
        ("fd12::5", "http://[fd12::5]"),
        ("FD12::5/dashboard", "http://[fd12::5]"),
        ("[fd00::1]:8787", "http://[fd00::1]:8787"),
        ("http://[fd00::1]/", "http://[fd00::1]"),
        ("::1", "http://[::1]"),
        ("nas", "http://nas"),
        ("my_nas:8787", "http://my_nas:8787"),
        ("localhost:8787", "http://localhost:8787"),
        ("nas.local:8787", "http://nas.local:8787"),
        ("NAS.Local.", "http://nas.local"),
        ("nas.home.arpa", "http://nas.home.arpa"),
        ("router.localdomain", "http://router.localdomain"),
        ("nas.lan", "http://nas.lan"),
        ("nas.internal", "http://nas.internal"),
        ("https://nas.lan", "https://nas.lan"),
        ("homearpa.example.com", "https://homearpa.example.com"),
    ],
)
def test_addresses_are_normalized(pasted: str, expected: str) -> None:
    assert base_url(pasted) == expected
    assert base_url(expected) == expected


@pytest.mark.parametrize(
    "pasted",
    [
        *("", " ", "https://", "https://?a", "ftp://nodes.example.com", "two words"),
        *("demo@example.com", "https://demo:password@nodes.example.com", "javascript:alert(1)"),
        *("http://nodes:99999", "nodes:port", "http://[::1", "[nodes]", "fe80::1%eth0", "1::2::3"),
        *("8787", "1.2.3", "1.2.3.256", "a..b", "-a.example.com", f"{'a' * 64}.example.com"),
        *("https://https://nodes.example.com", "https://nodes.example.com:", "☃☃ .net", "%41.net"),
    ],
)
def test_invalid_addresses(pasted: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        base_url(pasted)

    assert caught.value.key == "invalid_url"


@pytest.mark.parametrize(
    "pasted, expected",
    [
        ("http://192.0.2.7:7500/static/#/proxies/tcp", "http://192.0.2.7:7500"),
        ("http://192.0.2.7:7500/api/serverinfo?a=/static/", "http://192.0.2.7:7500"),
        ("http://192.0.2.7:7500", "http://192.0.2.7:7500"),
        ("https://home.example.com/frps/", "https://home.example.com/frps"),
        ("home.example.com/frps/static/index.html", "https://home.example.com/frps"),
        ("nas.lan//a/./../b?x#y", "http://nas.lan/a/b"),
        ("nas.lan/服务 器/static/", "http://nas.lan/%E6%9C%8D%E5%8A%A1%20%E5%99%A8"),
        ("nas.lan/a%20b", "http://nas.lan/a%20b"),
    ],
)
def test_the_path_before_the_pages_is_kept(pasted: str, expected: str) -> None:
    assert base_url(pasted, pages=("static", "api")) == expected
    assert base_url(expected, pages=("static", "api")) == expected
