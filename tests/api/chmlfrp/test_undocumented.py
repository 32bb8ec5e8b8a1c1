"""Tests behavior of ChmlFrp that its clients show, but the document does not."""

from datetime import UTC, datetime

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.tunnel_hub.api.chmlfrp import ChmlFrpProvider
from custom_components.tunnel_hub.api.chmlfrp.models import is_older
from custom_components.tunnel_hub.api.errors import InvalidInputError
from custom_components.tunnel_hub.api.models.account import Account, Inbox
from custom_components.tunnel_hub.api.models.base import Resource
from custom_components.tunnel_hub.api.models.certificates import Certificates
from custom_components.tunnel_hub.api.models.nodes import Node
from custom_components.tunnel_hub.api.models.service import Download, Release
from custom_components.tunnel_hub.api.models.tunnels import Tunnel, TunnelState, TunnelUpdate
from simulator.chmlfrp import Certificate, ChmlFrpService, Day, Notice

from ...common import DAY, HOUR, NOON
from ..refusals import refused

FREE = "免费用户"


async def one[R: Resource](provider: ChmlFrpProvider, feed: str, kind: type[R], id_: str) -> R:
    """Read a feed and return one of its resources."""
    resource = (await provider.feeds[feed].fetch())[id_]
    assert isinstance(resource, kind)
    return resource


async def messages(provider: ChmlFrpProvider) -> list[tuple[str | None, str]]:
    """Return title and text of all messages."""
    inbox = await one(provider, "inbox", Inbox, "account")
    return [(message.title, message.text) for message in inbox.messages]


# Notices


async def test_each_text_of_a_notice_is_read_once(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.messages.clear()
    found = await messages(provider)
    chmlfrp.state.notices.append(Notice(9, "New", "**new**", chmlfrp.now() + 1))
    again = await messages(provider)

    assert ("节点维护公告", "**新加坡** 节点将于今晚 02:00 维护。") in found
    assert again == [*found, ("New", "**new**")]
    read_ids = [call.query["id"] for call in chmlfrp.calls_to("/message/detail")]
    assert sorted(read_ids) == ["1", "2", "9"]


async def test_texts_are_only_read_for_the_newest_notices(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    """The others only have titles."""
    chmlfrp.state.messages.clear()
    chmlfrp.state.notices = [
        Notice(number, f"title {number}", f"text {number}", chmlfrp.now() - number)
        for number in range(1, 12)
    ]

    found = await messages(provider)

    assert found[-1] == ("title 1", "text 1")
    assert found[0] == ("title 11", "")
    assert len(chmlfrp.calls_to("/message/detail")) == 5


async def test_a_refused_text_keeps_the_title(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.messages.clear()
    refusal = {"code": 403, "state": "fail", "msg": "无权查看"}
    chmlfrp.fault("/message/detail", "body", times=None, body=refusal)

    assert ("节点维护公告", "") in await messages(provider)


async def test_a_list_with_texts_needs_no_more_requests(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    chmlfrp.state.settings.notices_listed_whole = True

    assert ("节点维护公告", "**新加坡** 节点将于今晚 02:00 维护。") in await messages(provider)
    assert not chmlfrp.calls_to("/message/detail")


# The account


async def test_a_banned_account(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    assert (await one(provider, "account", Account, "account")).banned is False
    chmlfrp.account.usergroup = "封禁"

    assert (await one(provider, "account", Account, "account")).banned is True
    with refused(InvalidInputError, "account_banned"):
        await provider.identify()


@pytest.mark.parametrize("style", ["words", "flag"])
@pytest.mark.parametrize("verified", [True, False])
async def test_verification_as_text_or_flag(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, style: str, verified: bool
) -> None:
    chmlfrp.account.realname, chmlfrp.state.settings.realname_style = verified, style

    assert (await one(provider, "account", Account, "account")).verified is verified


@pytest.mark.parametrize("newest_first", [True, False])
async def test_days_of_traffic_are_sorted(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, newest_first: bool
) -> None:
    chmlfrp.state.settings.flow_newest_first = newest_first
    chmlfrp.account.days[-1].traffic_in = 777

    days = await provider.traffic_history()

    assert [day.day for day in days] == sorted(day.day for day in days)
    assert len(days) == 7
    assert days[-1].traffic_in == 777


@pytest.mark.parametrize("wanted", [True, False])
async def test_reset_token_requires_a_code_only_if_the_service_does(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, wanted: bool
) -> None:
    chmlfrp.state.settings.retoken_wants_code = wanted
    before = chmlfrp.account.usertoken

    if wanted:
        with refused(InvalidInputError, "code_needed"):
            await provider.reset_token()
    else:
        await provider.reset_token()

    assert (chmlfrp.account.usertoken == before) is wanted


@pytest.mark.parametrize("status", ["expired", "failed", "revoked"])
async def test_expired_certificates_do_not_expire_next(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, status: str
) -> None:
    now = int(chmlfrp.now())
    chmlfrp.state.certificates = [
        Certificate(1, 227, "ended.example", status, now, issued_at=now, expires_at=now + HOUR),
        Certificate(2, 227, "good.example", "issued", now, issued_at=now, expires_at=now + DAY),
    ]

    account = await one(provider, "certificates", Certificates, "account")

    assert account.first_expiry == datetime.fromtimestamp(now + DAY, UTC)
    assert {c.domains: c.status for c in account.certificates}["ended.example"] == status


# Nodes


async def test_node_types_require_no_request_per_node(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    row = chmlfrp.state.nodes["1"]
    row.china, row.fangyu, row.ipv6, row.udp, row.web = True, True, None, True, False

    node = await one(provider, "nodes", Node, "1")

    assert (node.place, node.group, node.protocols) == (row.area, row.nodegroup, ("tcp", "udp"))
    assert (node.mainland, node.defended, node.ipv6) == (True, True, False)
    assert not chmlfrp.calls_to("/nodeinfo")


async def test_details_of_a_vip_node(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    """They are refused to other users, who get the public data."""
    chmlfrp.account.usergroup = FREE
    vip = next(node for node in chmlfrp.state.nodes.values() if node.nodegroup == "vip")
    await provider.feeds["nodes"].fetch()

    node = await provider.node_details(str(vip.id))

    assert chmlfrp.calls_to("/nodeinfo")
    assert (node.place, node.group, node.started) == (vip.area, "vip", None)


async def test_message_for_a_vip_node(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.account.usergroup = FREE
    vip = next(node for node in chmlfrp.state.nodes.values() if node.nodegroup == "vip")
    payload = TunnelUpdate(
        name="new", protocol="tcp", local_port=80, remote_port=20_500, node=vip.name
    )

    with refused(InvalidInputError, "vip_node"):
        await provider.create_tunnel(payload)


# Tunnels


@pytest.mark.parametrize("style", ["empty", "offline"])
async def test_a_removed_node(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, style: str
) -> None:
    chmlfrp.state.settings.removed_style = style
    node = chmlfrp.state.nodes.pop("1")
    at_node = next(t for t in chmlfrp.state.tunnels.values() if t.node == node.name)

    tunnel = await one(provider, "tunnels", Tunnel, str(at_node.id))

    assert tunnel.state is TunnelState.NODE_REMOVED


@pytest.mark.parametrize("style", ["word", "null"])
async def test_a_node_in_maintenance(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, style: str
) -> None:
    chmlfrp.state.settings.maintenance_style = style
    chmlfrp.state.nodes["1"].state = "maintenance"
    name = chmlfrp.state.nodes["1"].name
    at_node = next(t for t in chmlfrp.state.tunnels.values() if t.node == name)

    tunnel = await one(provider, "tunnels", Tunnel, str(at_node.id))

    assert tunnel.state is TunnelState.NODE_MAINTENANCE


async def test_counters_of_another_day_are_0_today(
    freezer: FrozenDateTimeFactory, provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    """The row of an unused tunnel keeps its values of today, with the day that they are from."""
    freezer.move_to(NOON)
    row = chmlfrp.state.tunnels["1"]
    row.client_running, row.days[-1] = False, Day(1000, 2000)
    today = await one(provider, "tunnels", Tunnel, "1")
    freezer.tick(DAY)
    tomorrow = await one(provider, "tunnels", Tunnel, "1")

    assert (today.traffic_in_today, today.traffic_out_today) == (1000, 2000)
    assert (tomorrow.traffic_in_today, tomorrow.traffic_out_today) == (0, 0)


async def test_midnight_between_two_equal_answers(
    freezer: FrozenDateTimeFactory, provider: ChmlFrpProvider, chmlfrp: ChmlFrpService
) -> None:
    freezer.move_to(NOON)
    patch = {"data.0.traffic_date": "2026-10-20", "data.0.today_traffic_in": 1000}
    chmlfrp.fault("/tunnel", "patch", times=None, patch=patch)
    readings = []
    for _ in range(2):
        readings.append((await one(provider, "tunnels", Tunnel, "1")).traffic_in_today)
        freezer.tick(13 * HOUR)

    assert readings == [1000, 0]


@pytest.mark.parametrize("day", ["yesterday", 20261020, {}, True])
async def test_an_invalid_day(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, day: object
) -> None:
    chmlfrp.fault("/tunnel", "patch", patch={"data.0.traffic_date": day})

    assert (await one(provider, "tunnels", Tunnel, "1")).traffic_in_today is None


async def test_any_port(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    """With 0, the service chooses the port."""
    name = chmlfrp.state.nodes["1"].name
    payload = TunnelUpdate(name="any", protocol="tcp", local_port=80, remote_port=0, node=name)

    tunnel_id = await provider.create_tunnel(payload)

    created = chmlfrp.state.tunnels[tunnel_id]
    assert (await one(provider, "tunnels", Tunnel, tunnel_id)).public_address == (
        f"{chmlfrp.state.nodes['1'].ip}:{created.public}"
    )
    assert int(created.public) > 0


@pytest.mark.parametrize("port", [-1, 65536, 10**30])
async def test_no_port(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, port: int) -> None:
    name = chmlfrp.state.nodes["1"].name
    payload = TunnelUpdate(name="any", protocol="tcp", local_port=80, remote_port=port, node=name)

    with refused(InvalidInputError, "port_out_of_range"):
        await provider.create_tunnel(payload)


# The client program


async def test_newest_client_version(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.settings.frpc_version = "0.52.0_261101"
    release = await one(provider, "release", Release, "service")

    downloads = await provider.downloads()

    assert release.frpc_version == "0.52.0_261101"
    assert [(file.platform, file.architecture) for file in downloads] == [
        ("windows", "amd64"),
        ("linux", "amd64"),
        ("linux", "arm64"),
    ]
    assert downloads[1] == Download(
        name="frpc_linux_amd64.tar.gz",
        version="0.52.0_261101",
        platform="linux",
        architecture="amd64",
        urls=("https://download.example.com/frpc/frpc_linux_amd64.tar.gz",),
    )


@pytest.mark.parametrize(
    "body", [{"link": "javascript:alert(1)"}, {"system": None}, {"system": {"linux": [{}, None]}}]
)
async def test_invalid_downloads(
    provider: ChmlFrpProvider, chmlfrp: ChmlFrpService, body: dict[str, object]
) -> None:
    data = {"link": "https://download.example.com/", "version": "1", **body}
    chmlfrp.fault("/download_info", "body", body={"code": 200, "data": data})

    assert await provider.downloads() == ()


async def test_an_outdated_client(provider: ChmlFrpProvider, chmlfrp: ChmlFrpService) -> None:
    chmlfrp.state.tunnels["1"].client_version = "ChmlFrp-0.51.2_240715"
    before = await one(provider, "tunnels", Tunnel, "1")
    await provider.feeds["release"].fetch()

    outdated = await one(provider, "tunnels", Tunnel, "1")
    chmlfrp.state.tunnels["1"].client_version = "ChmlFrp-0.51.2_251023"
    newest = await one(provider, "tunnels", Tunnel, "1")

    assert before.client_outdated is None, "the newest version is unknown"
    assert (outdated.client_outdated, newest.client_outdated) == (True, False)


@pytest.mark.parametrize(
    "version, newest, older",
    [
        ("0.51.2_240715", "0.51.2_251023", True),
        ("ChmlFrp-0.9.0", "0.10.0", True),
        ("0.52.0", "0.51.2_251023", False),
        ("0.51.2_251023", "0.51.2_251023", False),
        (None, "0.51.2", None),
        ("0.51.2", None, None),
        ("unknown", "0.51.2", None),
    ],
)
def test_compare_versions(version: str | None, newest: str | None, older: bool | None) -> None:
    assert is_older(version, newest) is older
