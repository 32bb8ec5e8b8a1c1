"""Identifiers: any id that a service chooses can be told from the rest."""

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
    """An account of any service."""
    entry = MockConfigEntry(domain=DOMAIN, entry_id="01K0000000000000000000000")
    entry.add_to_hass(hass)
    return entry


def registered(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> er.RegistryEntry:
    """Return an entity of the entry's with this unique id."""
    return er.async_get(hass).async_get_or_create("sensor", DOMAIN, name, config_entry=entry)


def device_of(
    hass: HomeAssistant, entry: MockConfigEntry, *identifiers: tuple[str, str]
) -> dr.DeviceEntry:
    """Return a device of the entry's with these identifiers."""
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

    assert entity_key_of(registered(hass, entry, unique_id(entry.entry_id, meant))) == meant


@SHARED
@given(kind=WORDS, id_=IDS)
@example("tunnel", "host:443")
async def test_a_device(hass: HomeAssistant, entry: MockConfigEntry, kind: str, id_: str) -> None:
    meant = DeviceKey(kind, id_)
    device = device_of(
        hass, entry, (f"another {meant}", "thing"), device_identifier(entry.entry_id, meant)
    )

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
async def test_what_is_none_of_ours(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> None:
    assert entity_key_of(registered(hass, entry, name)) is None


@pytest.mark.parametrize(
    "domain, name",
    [
        (DOMAIN, "of-old"),
        (DOMAIN, "01K0000000000000000000000:tunnel:"),
        (DOMAIN, "another-entry:tunnel:1"),
        ("another", "01K0000000000000000000000:tunnel:1"),
    ],
)
async def test_a_device_of_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, domain: str, name: str
) -> None:
    assert device_key_of(device_of(hass, entry, (domain, name)), entry) is None


def test_they_stay_as_they_are() -> None:
    """Registries hold them: another form would lose what people have set."""
    assert device_identifier("entry", ACCOUNT) == (DOMAIN, "entry:account:account")
    assert unique_id("entry", EntityKey("tunnel", "1", "online")) == "entry:tunnel:1:online"
