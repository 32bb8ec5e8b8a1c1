"""Whatever a person pastes becomes the address of a server, or is refused."""

import pytest

from custom_components.tunnel_hub.api.easytier.address import base_url
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
        ("nodes.example.com:8443", "https://nodes.example.com:8443"),
        ("https://nodes.example.com:443", "https://nodes.example.com"),
        ("例子.cn/节点", "https://xn--fsqu00a.cn"),
        ("192.168.1.2:8787/", "http://192.168.1.2:8787"),
        ("[fd00::1]:8787", "http://[fd00::1]:8787"),
        ("8.8.8.8", "https://8.8.8.8"),
        ("nas", "http://nas"),
        ("nas.local:8787", "http://nas.local:8787"),
    ],
)
def test_what_is_pasted_is_tidied(pasted: str, expected: str) -> None:
    assert base_url(pasted) == expected
    assert base_url(expected) == expected


@pytest.mark.parametrize(
    "pasted",
    [
        *("", " ", "https://", "ftp://nodes.example.com", "two words", "http://nodes:99999"),
        *("demo@example.com", "https://demo:password@nodes.example.com", "::1"),
    ],
)
def test_what_is_no_address(pasted: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        base_url(pasted)

    assert caught.value.key == "invalid_url"
