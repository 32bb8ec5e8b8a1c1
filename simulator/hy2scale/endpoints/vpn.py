"""The endpoints for L2TP, IKEv2 and WireGuard."""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from aiohttp import web
from PIL import Image
import pyqrcode

from simulator.hy2scale.keys import new_wireguard_key, wireguard_public_key
from simulator.hy2scale.state import Ikev2, L2tp, WireGuard, WireGuardPeer
from simulator.hy2scale.table import ROUTES
from simulator.hy2scale.wire import OK, decode, refuse, shown
from simulator.service import Answer, Call

from .shared import settle_exit

if TYPE_CHECKING:
    from simulator.hy2scale.service import Hy2ScaleService

REASON = (
    "no NET_ADMIN capability "
    "(bridge creation, iptables-legacy, iptables, and chroot /host all failed)"
)
DNS = "1.1.1.1, 8.8.8.8"
"""The DNS server in a peer's file if the server has none."""
IKEV2_MODES = ("mschapv2", "psk")
QR_SIZE = 512
QR_BORDER = 4
"""The width of the white border, in modules."""


def _capability(service: Hy2ScaleService) -> dict[str, object]:
    settings = service.state.settings
    return {
        "capable": settings.kernel_right,
        "host_network": settings.host_network,
        "reason": "" if settings.kernel_right else REASON,
    }


def _need_kernel_right(service: Hy2ScaleService, protocol: str) -> None:
    if not service.state.settings.kernel_right:
        raise refuse(403, f"{protocol} unavailable: {REASON}")


@ROUTES.on("GET", "/api/l2tp")
def get_l2tp(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the L2TP server."""
    return {**_capability(service), **shown(service.state.l2tp)}


@ROUTES.on("PUT", "/api/l2tp")
def put_l2tp(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace the L2TP server."""
    _need_kernel_right(service, "L2TP")
    service.state.l2tp = decode(L2tp, call)
    return OK


@ROUTES.on("GET", "/api/ikev2")
def get_ikev2(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the IKEv2 server without its hidden fields."""
    return {**_capability(service), **shown(service.state.ikev2, *Ikev2.HIDDEN)}


@ROUTES.on("PUT", "/api/ikev2")
def put_ikev2(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace the IKEv2 server, including the fields that a GET hides."""
    _need_kernel_right(service, "IKEv2")
    ikev2 = decode(Ikev2, call)
    if ikev2.mode not in IKEV2_MODES:
        raise refuse(400, f'unknown mode "{ikev2.mode}"')
    service.state.ikev2 = ikev2
    return OK


# WireGuard


@ROUTES.on("GET", "/api/wireguard")
def get_wireguard(service: Hy2ScaleService, _: Call) -> Answer:
    """Return the WireGuard server and its peers, null for none."""
    config, connected = service.state.wireguard, service.state.wireguard_connected
    return {
        "running": config.enabled,
        "connected": sum(config.enabled and peer.name in connected for peer in config.peers),
        **shown(config),
        "peers": [shown(peer) for peer in config.peers] or None,
        **({"public_key": wireguard_public_key(config.private_key)} if config.private_key else {}),
    }


@ROUTES.on("PUT", "/api/wireguard")
def put_wireguard(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace the WireGuard server. Without peers in the body, the existing ones are kept."""
    config = decode(WireGuard, call)
    config.peers = config.peers or service.state.wireguard.peers
    if config.enabled:
        try:
            wireguard_public_key(config.private_key)
        except ValueError as error:
            raise refuse(500, "wireguard: invalid private key") from error
    service.state.wireguard = config
    return OK


@ROUTES.on("POST", "/api/wireguard/generate-key")
def generate_key(service: Hy2ScaleService, _: Call) -> Answer:
    """Return a new key pair."""
    private_key = new_wireguard_key(service.random)
    return {"private_key": private_key, "public_key": wireguard_public_key(private_key)}


@ROUTES.on("POST", "/api/wireguard/peers")
def post_wireguard_peer(service: Hy2ScaleService, call: Call) -> Answer:
    """Add a peer."""
    peer = settle_exit(decode(WireGuardPeer, call), documented=service.documented)
    if not (peer.name and peer.public_key and peer.allowed_ips):
        raise refuse(400, "name, public_key, allowed_ips required")
    service.state.wireguard.peers.append(peer)
    return OK


@ROUTES.on("PUT", "/api/wireguard/peers/{name}")
def put_wireguard_peer(service: Hy2ScaleService, call: Call) -> Answer:
    """Replace a peer, including its name; an unknown one is ignored."""
    changed = settle_exit(decode(WireGuardPeer, call), documented=service.documented)
    config, name = service.state.wireguard, call.params["name"]
    config.peers = [changed if peer.name == name else peer for peer in config.peers]
    return OK


@ROUTES.on("DELETE", "/api/wireguard/peers/{name}")
def delete_wireguard_peer(service: Hy2ScaleService, call: Call) -> Answer:
    """Remove a peer; an unknown one is ignored."""
    config, name = service.state.wireguard, call.params["name"]
    config.peers = [peer for peer in config.peers if peer.name != name]
    return OK


@ROUTES.on("GET", "/api/wireguard/peers/{name}/config")
def get_wireguard_config(service: Hy2ScaleService, call: Call) -> Answer:
    """Return the configuration file of a peer, including its private key."""
    name = call.params["name"]
    return web.Response(
        body=_config(service, name, call.query.get("endpoint", "")).encode(),
        headers={
            "Content-Type": "text/plain",
            "Content-Disposition": f"attachment; filename={name}.conf",
        },
    )


@ROUTES.on("GET", "/api/wireguard/qr")
def get_wireguard_qr(service: Hy2ScaleService, call: Call) -> Answer:
    """Return a QR code: of any text, in the documented generation of a peer's file."""
    if service.documented:
        text = _config(service, call.query.get("peer", ""), "")
    else:
        text = call.query.get("text", "")
    if not text:
        raise refuse(400, "missing text")
    return web.Response(body=_png(text), content_type="image/png")


def _config(service: Hy2ScaleService, name: str, endpoint: str) -> str:
    config = service.state.wireguard
    peer = next((peer for peer in config.peers if peer.name == name), None)
    if peer is None:
        raise refuse(404, "peer not found")
    return "\n".join(
        (
            "[Interface]",
            f"PrivateKey = {peer.private_key}",
            f"Address = {peer.allowed_ips}",
            f"DNS = {config.dns or DNS}",
            *_line("MTU", config.mtu),
            "",
            "[Peer]",
            f"PublicKey = {wireguard_public_key(config.private_key)}",
            *_line("Endpoint", endpoint and f"{endpoint}:{config.listen_port}"),
            "AllowedIPs = 0.0.0.0/0, ::/0",
            *_line("PersistentKeepalive", peer.keepalive),
            "",
        )
    )


def _line(name: str, value: object) -> Iterable[str]:
    return [f"{name} = {value}"] if value else []


def _png(text: str) -> bytes:
    modules = pyqrcode.create(text, error="M", encoding="utf-8").code
    size = len(modules)
    code = Image.new("1", (size + 2 * QR_BORDER,) * 2, 1)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            code.putpixel((x + QR_BORDER, y + QR_BORDER), 1 - dark)
    picture = BytesIO()
    code.resize((QR_SIZE, QR_SIZE), Image.Resampling.NEAREST).save(picture, "PNG")
    return picture.getvalue()
