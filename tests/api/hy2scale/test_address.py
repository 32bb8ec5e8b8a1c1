"""Tests the addresses of nodes and their TLS settings."""

from random import Random
import ssl

import pytest

from custom_components.tunnel_hub.api.errors import InvalidInputError
from custom_components.tunnel_hub.api.hy2scale.address import base_url
from custom_components.tunnel_hub.api.tls import trust
from simulator.hy2scale.keys import issue


@pytest.mark.parametrize(
    "credentials, url",
    [
        ({"host": "hub.example.com"}, "https://hub.example.com:5565/scale"),
        ({"host": "hub", "port": "443", "base_path": "/"}, "https://hub:443"),
        (
            {"host": "192.0.2.1", "https": "false", "base_path": "/a/b/"},
            "http://192.0.2.1:5565/a/b",
        ),
        ({"host": "2001:db8::1"}, "https://[2001:db8::1]:5565/scale"),
        ({"host": "[2001:db8::1]"}, "https://[2001:db8::1]:5565/scale"),
        ({"host": "my_hub.local."}, "https://my_hub.local.:5565/scale"),
        ({"host": "münchen.example"}, "https://xn--mnchen-3ya.example:5565/scale"),
        ({"host": "节点.例子"}, "https://xn--3px729a.xn--fsqu00a:5565/scale"),
        ({"host": "XN--MNCHEN-3YA.example"}, "https://xn--mnchen-3ya.example:5565/scale"),
    ],
)
def test_url(credentials: dict[str, str], url: str) -> None:
    assert base_url(credentials) == url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a b",
        "http://hub",
        "hub/x",
        "user@hub",
        "hub:80",
        "-hub",
        "hub?x",
        "2001:db8::x",
        "ü b",
        "ü/x",
        "ü@x",
        "\u202e.example",
    ],
)
def test_no_host(host: str) -> None:
    with pytest.raises(InvalidInputError) as info:
        base_url({"host": host})
    assert info.value.key == "invalid_host"


def test_certificate_settings() -> None:
    assert trust({}) is True
    assert trust({"verify": "true"}) is True
    assert trust({"verify": "false", "ca": "whatever"}) is False


def test_invalid_ca_certificate() -> None:
    with pytest.raises(InvalidInputError) as info:
        trust({"ca": "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----"})
    assert info.value.key == "invalid_ca"


def test_only_the_given_ca_certificate_is_trusted() -> None:
    authority = issue(Random(1), 0.0, "ca", domains=["ca"], days=9, is_ca=True)

    context = trust({"ca": authority.cert})

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1
