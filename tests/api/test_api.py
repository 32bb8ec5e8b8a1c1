"""Tests the public API: providers, feeds and error messages."""

from collections.abc import Mapping
from typing import override

from aiohttp import ClientSession
import pytest

from custom_components.tunnel_hub.api import KINDS, PROVIDERS, create_provider, provider_class
from custom_components.tunnel_hub.api.capabilities.account import CanSignIn
from custom_components.tunnel_hub.api.capabilities.collections import CanEdit
from custom_components.tunnel_hub.api.capabilities.tunnels import CanForceDown
from custom_components.tunnel_hub.api.errors import (
    AuthenticationError,
    InvalidInputError,
    Reason,
    RejectedError,
    UnavailableError,
)
from custom_components.tunnel_hub.api.feed import Feed
from custom_components.tunnel_hub.api.models.base import Resource
from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelUpdate
from custom_components.tunnel_hub.api.provider import KIND, Credentials, Identity, Options, Provider

CREDENTIALS = {
    "base_url": "http://127.0.0.1:9",
    "host": "127.0.0.1",
    "port": "9",
    "https": "false",
    "username": "demo",
    "password_hash": "0" * 64,
    "token": "a-token",
}

EACH_KIND = [(key, kind) for key, kinds in KINDS.items() for kind in kinds]


@pytest.mark.parametrize("key, kind", EACH_KIND)
async def test_creating_a_provider_sends_no_request(
    key: str, kind: str, session: ClientSession
) -> None:
    credentials = {**CREDENTIALS, **({KIND: kind} if kind else {})}
    provider = create_provider(key, session, credentials, {})

    assert type(provider) is provider_class(key, kind)
    assert provider.description is PROVIDERS[key] or kind
    assert provider.description.key == key
    assert provider.description.console_url.startswith("https://")
    assert provider.credentials == credentials
    assert set(provider.statistics().values()) == {0}
    assert list(provider.issues()) == []


@pytest.mark.parametrize("key, kind", EACH_KIND)
async def test_descriptions_of_feeds(key: str, kind: str, session: ClientSession) -> None:
    provider = create_provider(key, session, {**CREDENTIALS, KIND: kind}, {})
    feeds: dict[str, Feed[Resource]] = dict(provider.feeds)

    assert all(feed.key == key for key, feed in feeds.items())
    for feed in feeds.values():
        assert feed.fields <= set(feed.resource.__dataclass_fields__)
        assert feed.probe is None or feed.probe.fields < feed.fields
    assert any(feed.required for feed in feeds.values())


async def test_an_unknown_provider(session: ClientSession) -> None:
    with pytest.raises(KeyError):
        create_provider("unknown", session, CREDENTIALS, {})


@pytest.mark.parametrize(
    "error, words",
    [
        (AuthenticationError(), "The service refused the credentials"),
        (AuthenticationError("登录无效"), "登录无效"),
        (RejectedError("节点不存在."), "节点不存在."),
        (UnavailableError(Reason.TIMEOUT), "timeout"),
        (UnavailableError(Reason.FIREWALL, "HTTP 468"), "firewall: HTTP 468"),
        (UnavailableError(Reason.RATE_LIMITED, retry_after=30), "rate_limited"),
        (UnavailableError(Reason.CONTESTED, retry_after=900), "contested"),
        (InvalidInputError("unknown_node", node="9"), "unknown_node: {'node': '9'}"),
    ],
)
def test_error_messages(error: Exception, words: str) -> None:
    assert str(error) == words


def test_a_payload_shows_no_secret() -> None:
    assert "open sesame" not in repr(TunnelUpdate(name="safe", secret_key="open sesame"))


def test_tunnels_are_enabled_by_default() -> None:
    assert Tunnel(id="1").enabled_by_default


class MinimalProvider(Provider):
    """A provider without capabilities."""

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        self.credentials = credentials
        self.feeds = {}

    @override
    async def identify(self) -> Identity:
        return Identity(id="1", title="one")

    @override
    def statistics(self) -> Mapping[str, int]:
        return {}


async def test_a_provider_without_capabilities(session: ClientSession) -> None:
    quiet = MinimalProvider(session, CREDENTIALS, {})

    assert list(quiet.issues()) == []
    assert not isinstance(quiet, CanForceDown | CanEdit | CanSignIn)
