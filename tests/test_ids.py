"""Tests identifiers: any id of a service can be parsed from the rest."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from hypothesis import HealthCheck, example, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tunnel_hub.const import DOMAIN
from custom_components.tunnel_hub.ids import (
    ACCOUNT,
    DeviceKey,
    EntityKey,
    device_identifier,
    device_key_of,
    entity_key_of,
    free_prefix,
    id_prefix,
    unique_id,
)

# The fixtures are read and never changed.
SHARED = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WORDS = st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True)
IDS = st.one_of(st.text(min_size=1), st.text(":a/", min_size=1))


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Return the config entry of an account, whose identifiers begin with the entry's id."""
    entry = MockConfigEntry(domain=DOMAIN, entry_id="01K0000000000000000000000")
    entry.add_to_hass(hass)
    return entry


def registered(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> er.RegistryEntry:
    """Return an entity of the entry with this unique id."""
    return er.async_get(hass).async_get_or_create("sensor", DOMAIN, name, config_entry=entry)


def device_of(
    hass: HomeAssistant, entry: MockConfigEntry, *identifiers: tuple[str, str]
) -> dr.DeviceEntry:
    """Return a device of the entry with these identifiers."""
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers=set(identifiers)
    )


@SHARED
@given(kind=WORDS, id_=IDS, key=WORDS)
@example("link", "host:", "nested")
@example("link", "host:443", "nested")
@example("peer", ":", "latency")
async def test_an_entity(
    hass: HomeAssistant, entry: MockConfigEntry, kind: str, id_: str, key: str
) -> None:
    meant = EntityKey(kind, id_, key)

    assert entity_key_of(registered(hass, entry, unique_id(entry, meant)), entry) == meant


@SHARED
@given(kind=WORDS, id_=IDS)
@example("tunnel", "host:443")
async def test_a_device(hass: HomeAssistant, entry: MockConfigEntry, kind: str, id_: str) -> None:
    meant = DeviceKey(kind, id_)
    device = device_of(hass, entry, (f"another {meant}", "thing"), device_identifier(entry, meant))

    assert device_key_of(device, entry) == meant


@pytest.mark.parametrize(
    "name",
    [
        "",
        "of-old",
        "another-entry:tunnel:1:online",
        "01K0000000000000000000000",
        "01K0000000000000000000000:tunnel",
        "01K0000000000000000000000:tunnel:1",
        "01K0000000000000000000000::1:online",
        "01K0000000000000000000000:tunnel:1:",
        "01K0000000000000000000000:tunnel::online",
    ],
)
async def test_identifiers_of_other_integrations(
    hass: HomeAssistant, entry: MockConfigEntry, name: str
) -> None:
    assert entity_key_of(registered(hass, entry, name), entry) is None


@pytest.mark.parametrize(
    "domain, name",
    [
        (DOMAIN, "of-old"),
        (DOMAIN, "01K0000000000000000000000:tunnel:"),
        (DOMAIN, "another-entry:tunnel:1"),
        ("another", "01K0000000000000000000000:tunnel:1"),
    ],
)
async def test_a_device_without_identifiers(
    hass: HomeAssistant, entry: MockConfigEntry, domain: str, name: str
) -> None:
    assert device_key_of(device_of(hass, entry, (domain, name)), entry) is None


def account(unique_id: str | None, **data: Any) -> MockConfigEntry:
    """Return the config entry of an account."""
    return MockConfigEntry(domain=DOMAIN, entry_id="entry", unique_id=unique_id, data=data)


def test_identifiers_do_not_change() -> None:
    """Registries store them, so another form would lose the users' settings."""
    online = EntityKey("tunnel", "1", "online")
    entry, without = account("hayfrp:123", id_prefix="hayfrp.123"), account("hayfrp:123")

    assert device_identifier(entry, ACCOUNT) == (DOMAIN, "hayfrp.123:account:account")
    assert unique_id(entry, online) == "hayfrp.123:tunnel:1:online"
    assert device_identifier(without, ACCOUNT) == (DOMAIN, "entry:account:account")
    assert unique_id(without, online) == "entry:tunnel:1:online"


@pytest.mark.parametrize(
    "name, prefix",
    [
        ("hayfrp:123", "hayfrp.123"),
        ("frp:192.168.1.2:7500/behind", "frp.192.168.1.2%3A7500/behind"),
        ("frp:[fd00::2]:7500", "frp.[fd00%3A%3A2]%3A7500"),
        ("hy2scale:%3A", "hy2scale.%253A"),
        ("hy2scale::", "hy2scale.%3A"),
        ("hy2scale:家.home", "hy2scale.家.home"),
        ("hayfrp:", None),
        ("watched", None),
        (None, None),
    ],
)
async def test_a_new_prefix(hass: HomeAssistant, name: str | None, prefix: str | None) -> None:
    assert free_prefix(hass, name) == ({"id_prefix": prefix} if prefix else {})


async def test_a_prefix_that_another_account_had_before(hass: HomeAssistant) -> None:
    """A node was renamed after it was added, and another node has its name now."""
    account("hy2scale:new", id_prefix="hy2scale.old").add_to_hass(hass)

    assert free_prefix(hass, "hy2scale:old") == {}
    assert free_prefix(hass, "hy2scale:old:1") == {"id_prefix": "hy2scale.old%3A1"}


@SHARED
@given(one=st.text(min_size=1), other=st.text(min_size=1))
@example("x:1", "x")
@example("1", "1:2")
async def test_accounts_are_distinguished(hass: HomeAssistant, one: str, other: str) -> None:
    """No entity of one account is assigned to another, even if their ids begin alike."""
    first, second = (account(None, **free_prefix(hass, f"hy2scale:{id_}")) for id_ in (one, other))

    assert (id_prefix(first) == id_prefix(second)) is (one == other)
    assert ":" not in id_prefix(first)
