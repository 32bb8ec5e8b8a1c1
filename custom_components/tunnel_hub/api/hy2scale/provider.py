"""HY2 SCALE: one node, its sign-in and its commands."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, override

from aiohttp import ClientSession

from .. import coerce
from ..capabilities.account import CanUpdateAccount
from ..capabilities.certificates import CanManageCertificates
from ..capabilities.collections import CanEdit, EditableCollection
from ..capabilities.mesh import MeshNode
from ..capabilities.tunnels import CanForceDown, CanToggleTunnels
from ..errors import InvalidInputError, Reason, RejectedError, UnavailableError, UnsupportedError
from ..http import Transport
from ..models.account import AccountChanges
from ..models.base import Resource
from ..models.certificates import CertificateImport
from ..models.mesh import (
    TUN_OFF,
    Around,
    ClientDraft,
    Edited,
    ExitDraft,
    HasExit,
    Kick,
    LatencySample,
    LinkHistory,
    MeshDraft,
    Peer,
    Port,
    Position,
    Proxy,
    ProxyDraft,
    Rule,
    RuleDraft,
    Session,
    Toggled,
    User,
    UserDraft,
    VpnServer,
    WireGuardPeer,
    WireGuardPeerDraft,
)
from ..models.tunnels import Tunnel
from ..provider import Credentials, Identity, Issue, Options, Provider, ProviderDescription
from ..rows import Row, rows_of
from ..tls import trust
from ..tokens import Login, LoginTokens
from . import schemas, upgrade
from .address import base_url
from .client import Hy2ScaleClient, list_of
from .collections import EditableRows, RowCollections
from .drafts import (
    client_fields,
    exit_fields,
    import_fields,
    proxy_fields,
    rule_fields,
    user_fields,
    wireguard_peer_fields,
)
from .feeds import Feeds
from .models import ID, PEER, TITLE
from .topology import places, why_hidden

_SECRETS = ("password_hash", "token")
_NOTICE = timedelta(days=14)
"""How long before its end a certificate is a problem."""


def hashed(password: str) -> str:
    """Return what the node wants, and keeps, of a password."""
    return sha256(password.encode()).hexdigest()


def _identity(row: Row) -> Identity | None:
    """Return what a node is called; None if it does not tell."""
    if (node_id := coerce.identifier(row.get("node_id"))) is None:
        return None
    return Identity(id=node_id, title=coerce.text(row.get("name")) or node_id)


_EDITED: Mapping[type, Edited] = {
    ClientDraft: Tunnel,
    ProxyDraft: Proxy,
    RuleDraft: Rule,
    UserDraft: User,
    WireGuardPeerDraft: WireGuardPeer,
}
"""What is edited by which drafts."""


class Hy2ScaleProvider(
    Provider,
    CanEdit,
    CanForceDown,
    CanManageCertificates,
    CanToggleTunnels,
    CanUpdateAccount,
    MeshNode,
):
    """One node.

    credentials: host, port, base_path; https, verify ("true" or "false") and ca (PEM); username
    and password_hash. A password among them is replaced by its hash at once. token,
    default_password: what the last login told, the latter "true" or "false".
    """

    description = ProviderDescription(
        key="hy2scale",
        name="HY2 SCALE",
        console_url="https://github.com/FrankoonG/hy2scale",
        model="Hub",
    )

    @override
    def __init__(self, session: ClientSession, credentials: Credentials, options: Options) -> None:
        known = dict(credentials)
        if password := known.pop("password", None):
            known["password_hash"] = hashed(password)
        self.credentials = known
        self._url = base_url(known)
        self._transport = Transport(session, (self._url,), ssl=trust(known))
        self._transport.secrets.add(password, *(known.get(name) for name in _SECRETS))
        login = Login(self._signs_in, self._log_in)
        self._tokens = LoginTokens(known.get("token"), login, self._keep_token)
        self._client = Hy2ScaleClient(self._transport, self._tokens)
        self._feeds = Feeds(self._client)
        self._client.on_write = self._feeds.forget
        self._client.on_node = self._tell_identity
        self._around = self._feeds.around
        self._around.on_memory = self._remember
        self._collections = RowCollections(self._client, self._around)
        self._editable_of: Mapping[type[Resource], EditableRows] = {
            Proxy: self._collections.proxies,
            Rule: self._collections.rules,
            Tunnel: self._collections.clients,
            User: self._collections.users,
            WireGuardPeer: self._collections.wireguard_peers,
        }
        self.feeds = self._feeds.feeds()

    @property
    @override
    def console_url(self) -> str:
        return f"{self._url}/"

    @override
    def restore(self, memory: Mapping[str, Any]) -> None:
        """Restore the known peers and their ids."""
        self._around.restore(memory)

    async def _remember(self, memory: Mapping[str, object]) -> None:
        if self.on_memory is not None:
            await self.on_memory(memory)

    def _signs_in(self) -> tuple[str, str]:
        """Return the username and the hash of the password."""
        return self.credentials.get("username", ""), self.credentials.get("password_hash", "")

    async def _log_in(self) -> str:
        """Return a new token; keep whether the password is the one that a node comes with."""
        row = await self._client.login(*self._signs_in())
        if (token := coerce.token(row.get("token"))) is None:
            raise UnavailableError(Reason.MALFORMED, "no token")
        default = bool(coerce.boolean(row.get("force_password_change")))
        self.credentials = {**self.credentials, "default_password": str(default).lower()}
        return token

    async def _keep_token(self, token: str) -> None:
        await self.keep({"token": token})

    @override
    async def identify(self) -> Identity:
        if (identity := _identity(await self._client.node())) is None:
            raise UnavailableError(Reason.MALFORMED, "no node")
        return identity

    @override
    def is_account_of(self, stored: Credentials, known_by: str) -> bool:
        """A node can be renamed, on its console too: at the same address it is the same one."""
        with suppress(InvalidInputError):
            return base_url(stored) == self._url
        return False

    def _tell_identity(self, row: Row) -> None:
        """Report the current name of the node."""
        if self.on_identity is not None and (identity := _identity(row)) is not None:
            self.on_identity(identity)

    @override
    def issues(self) -> Iterable[Issue]:
        if self.credentials.get("default_password") == "true":
            yield Issue(key="default_password", fixable=True)
        soon = datetime.now(UTC) + _NOTICE
        known = self._feeds.certificates
        ending = [c for c in known.certificates if c.expires and c.expires <= soon] if known else []
        if ending:
            words = ", ".join(f"{c.id} ({c.expires:%Y-%m-%d})" for c in ending)
            yield Issue(key="certificate_expiring", placeholders={"certificates": words})

    @override
    def collections(self) -> Mapping[type, EditableCollection[Any]]:
        return {
            draft: EditableCollection(
                create=self.create, update=self.update, delete=partial(self.delete, of)
            )
            for draft, of in _EDITED.items()
        }

    @override
    def statistics(self) -> Mapping[str, int]:
        return {
            "requests": self._transport.requests,
            "token_renewals": self._tokens.renewals,
        }

    @override
    async def update_account(self, changes: AccountChanges) -> None:
        """Change user name and password of the node's console; all its sessions end."""
        if changes.contact or changes.picture:
            raise UnsupportedError
        known = self.credentials["password_hash"]
        current = hashed(changes.current_password) if changes.current_password else known
        new = hashed(changes.password) if changes.password else known
        username = changes.username or self.credentials["username"]
        self._transport.secrets.add(new, changes.password, changes.current_password)
        kept = {"username": username, "password_hash": new}
        await self._client.update_password(
            {"current_password": current, "new_username": username, "new_password": new},
            lambda: self.keep({**kept, "default_password": "false"} if changes.password else kept),
        )

    # Outbound connections

    @override
    async def set_tunnel_enabled(self, tunnel_id: str, *, enabled: bool) -> None:
        """Connect or disconnect a connection."""
        await self._collections.clients.row(tunnel_id)
        name = self._around.handle_of(tunnel_id)
        await self._client.disable_client(name, disabled=not enabled)
        await self._collections.clients.expect(tunnel_id, {"disabled": not enabled})

    @override
    async def force_tunnel_offline(self, tunnel_id: str) -> None:
        """Drop the link once; an enabled connection makes it anew."""
        row = await self._collections.clients.row(tunnel_id)
        if coerce.boolean(row.get("disabled")):
            return
        name = self._around.handle_of(tunnel_id)
        try:
            await self._client.disable_client(name, disabled=True)
        finally:
            # Whatever became of that, the connection must not stay disabled.
            await self._client.disable_client(name, disabled=False)

    # The mesh

    @override
    async def set_enabled(self, of: Toggled, resource_id: str, *, enabled: bool) -> None:
        """Enable or disable a peer, proxy, rule or user."""
        if of is Peer:
            path = self._path(Peer, resource_id)
            await self._peer(path)
            await self._client.disable_peer(path, disabled=not enabled)
            await self._expect_peer(path, "disabled", not enabled)
            return
        shelf = self._editable_of[of]
        if of is Proxy:
            await shelf.change(resource_id, {"enabled": enabled})
            return
        await shelf.row(resource_id)
        toggle = self._client.toggle_rule if of is Rule else self._client.toggle_user
        await toggle(resource_id, enabled=enabled)
        await shelf.expect(resource_id, {"enabled": enabled})

    @override
    async def set_server_enabled(self, server: VpnServer, *, enabled: bool) -> None:
        """Start a server, or stop it; all else that a write replaces is sent as it was read."""
        read, write, shape = {
            VpnServer.L2TP: (self._client.l2tp, self._client.update_l2tp, schemas.L2TP),
            VpnServer.WIREGUARD: (
                self._client.wireguard,
                self._client.update_wireguard,
                schemas.WIREGUARD,
            ),
        }[server]
        row = await read()
        if coerce.boolean(row.get("capable")) is False:
            raise RejectedError(coerce.text(row.get("reason")) or server)
        if server is VpnServer.L2TP and row.get("psk") == "":
            raise InvalidInputError("l2tp_not_set_up")
        if server is VpnServer.WIREGUARD and row.get("private_key") == "":
            raise InvalidInputError("wireguard_not_set_up")
        shape.check(row)
        await write({**row, "enabled": enabled})
        if coerce.boolean((await read()).get("enabled")) is not enabled:
            raise InvalidInputError("not_taken", name=server)

    @override
    async def set_exit_node(self, *, enabled: bool) -> None:
        """Allow or forbid traffic of other nodes to leave here."""
        await self._client.update_node({"exit_node": enabled})
        if coerce.boolean((await self._client.node()).get("exit_node")) is not enabled:
            raise InvalidInputError("not_taken", name="exit_node")

    @override
    async def set_tun_mode(self, mode: str) -> None:
        """Set what is routed by TUN, only where that can be read: see the client."""
        row = await self._client.tun_mode()
        schemas.TUN_MODE.check(row)
        enabled = mode != TUN_OFF
        changes = {"enabled": enabled, "mode": mode if enabled else row.get("mode")}
        await self._client.update_tun_mode({**row, **changes})
        if coerce.boolean((await self._client.tun_mode()).get("enabled")) is not enabled:
            raise InvalidInputError("not_taken", name="tun_mode")

    @override
    async def set_peer_nested(self, of: Around, peer_id: str, *, nested: bool) -> None:
        """Show and use a peer's own peers or not."""
        path = self._path(of, peer_id)
        await self._peer(path)
        await self._client.nest_peer(path, enabled=nested)
        await self._expect_peer(path, "nested", nested)

    def _path(self, of: Around, peer_id: str) -> str:
        """Return where a node of the mesh is, by the names of today."""
        return self._around.path_of(peer_id) if of is Peer else self._around.name_of(peer_id)

    async def _peer(self, path: str) -> Row:
        rows = {place.path: place.row for place in places(await self._client.topology())}
        if path in rows:
            return rows[path]
        raise why_hidden(path, rows)

    async def _expect_peer(self, path: str, field: str, value: bool) -> None:
        if bool(coerce.boolean((await self._peer(path)).get(field))) is not value:
            raise InvalidInputError("not_taken", name=path)

    @override
    async def select_exit(self, of: type[HasExit], resource_id: str, path: str) -> None:
        """Let the traffic leave by this path alone, "" for this node itself."""
        paths = ExitDraft(exit_paths=(path,) if path else ())
        await self._editable_of[of].change(resource_id, exit_fields(paths))

    @override
    async def reset_traffic(self, user_id: str) -> None:
        """Reset the traffic counter of a user."""
        await self._collections.users.row(user_id)
        await self._client.reset_traffic(user_id)

    @override
    async def sessions_of(self, user_id: str) -> tuple[Session, ...]:
        """Return the connected devices of a user."""
        if (known := (await self._feeds.sessions()).get(user_id)) is None:
            raise InvalidInputError("unknown_resource", name=user_id)
        return known.sessions

    @override
    async def kick_sessions(self, user_id: str, key: str | None = None) -> Kick:
        """Disconnect one of a user's sessions, or all; they are locked out for a minute."""
        sessions = await self.sessions_of(user_id)
        # A device may come back under the same key, but not with the same beginning.
        wanted = {s.key: s.since for s in sessions if key in (None, s.key)}
        if key is not None and key not in wanted:
            raise InvalidInputError("unknown_session", session=key)
        kicked: list[str] = []
        refusal: RejectedError | None = None
        for each in wanted:
            try:
                await self._client.delete_session(each)
            except RejectedError as err:
                # It may have ended by itself.
                refusal = err
            else:
                kicked.append(each)
        left = (await self._feeds.sessions()).get(user_id)
        if left and wanted.items() & {(s.key, s.since) for s in left.sessions}:
            raise refusal or InvalidInputError("not_taken", name=left.name or user_id)
        if not kicked:
            return Kick(keys=(), locked_until=None)
        return Kick(keys=tuple(kicked), locked_until=self._feeds.lock(user_id))

    # Editing

    async def create(self, draft: MeshDraft) -> str:
        """Create a row and return its id."""
        match draft:
            case ClientDraft():
                return await self._collections.clients.create(client_fields(draft))
            case ProxyDraft():
                return await self._collections.proxies.create(proxy_fields(draft))
            case RuleDraft():
                return await self._collections.rules.create(rule_fields(draft))
            case UserDraft():
                return await self._collections.users.create(user_fields(draft))
            case WireGuardPeerDraft():
                return await self._collections.wireguard_peers.create(wireguard_peer_fields(draft))

    async def update(self, resource_id: str, draft: MeshDraft) -> None:
        """Change only the fields that the draft contains."""
        match draft:
            case ClientDraft():
                await self._collections.clients.change(resource_id, client_fields(draft))
            case ProxyDraft():
                await self._collections.proxies.change(resource_id, proxy_fields(draft))
            case RuleDraft():
                await self._collections.rules.change(resource_id, rule_fields(draft))
            case UserDraft():
                await self._collections.users.change(resource_id, user_fields(draft))
            case WireGuardPeerDraft():
                fields = wireguard_peer_fields(draft)
                await self._collections.wireguard_peers.change(resource_id, fields)

    async def delete(self, of: Edited, resource_id: str) -> None:
        """Delete it; what is gone already counts as deleted."""
        await self._editable_of[of].remove(resource_id)

    # WireGuard

    @override
    async def wireguard_config(self, peer_id: str, endpoint: str | None = None) -> str:
        """Return the file for a peer; it holds a private key."""
        host = endpoint or self.credentials.get("host", "")
        row = await self._collections.wireguard_peers.row(peer_id)
        name = self._collections.wireguard_peers.name_of(peer_id)
        if row.get("private_key") == "":
            raise InvalidInputError("peer_without_key", name=name)
        return await self._client.wireguard_config(name, host)

    @override
    async def wireguard_qr(self, peer_id: str, endpoint: str | None = None) -> bytes:
        """Return the file as a QR code; older versions want a name in place of a text."""
        config = await self.wireguard_config(peer_id, endpoint)
        try:
            return await self._client.wireguard_qr(text=config)
        except RejectedError:
            name = self._around.wireguard_peers.name_of(peer_id)
            return await self._client.wireguard_qr(peer=name)

    # Certificates

    @override
    async def import_certificate(self, certificate: CertificateImport) -> None:
        """Import a certificate."""
        fields = import_fields(certificate)
        if certificate.certificate_path:
            await self._client.import_certificate_path(fields)
        else:
            await self._client.import_certificate(fields)
        await self._collections.certificates.row(certificate.id)

    @override
    async def generate_certificate(
        self, id_: str, domains: Sequence[str], *, name: str | None, days: int | None, is_ca: bool
    ) -> None:
        """Make a certificate that signs itself, or an authority where the node makes such."""
        if is_ca and id_ in await self._collections.certificates.ids():
            # What would have to be removed again below must not be somebody else's.
            raise InvalidInputError("already_exists", name=id_)
        await self._client.generate_certificate(
            {
                "id": id_,
                "name": name or id_,
                "domains": list(domains),
                "days": days or 0,
                "is_ca": is_ca,
            }
        )
        row = await self._collections.certificates.row(id_)
        if is_ca and coerce.boolean(row.get("is_ca")) is False:
            await self._collections.certificates.remove(id_)
            raise InvalidInputError("makes_no_authorities")

    @override
    async def sign_certificate(
        self, id_: str, authority: str, host: str, *, name: str | None, days: int | None
    ) -> None:
        """Make a certificate for a host, signed by an authority that the node has."""
        row = await self._collections.certificates.row(authority)
        if coerce.boolean(row.get("is_ca")) is False:
            raise InvalidInputError("no_authority", name=authority)
        await self._client.sign_certificate(
            {"ca_id": authority, "id": id_, "name": name or id_, "cn": host, "days": days or 0}
        )
        await self._collections.certificates.row(id_)

    @override
    async def delete_certificate(self, id_: str) -> None:
        """Delete a certificate."""
        await self._collections.certificates.remove(id_)

    @override
    async def certificate_pem(self, id_: str) -> str:
        """Return a certificate as PEM, never its key."""
        await self._collections.certificates.row(id_)
        return await self._client.certificate_pem(id_)

    # Questions and the like

    @override
    async def install_upgrade(self, on_progress: Callable[[float | None], None]) -> None:
        """Download the newest version and put it in place; the node restarts."""
        await upgrade.install(self._client, on_progress)

    @override
    async def check_ports(self, ports: Sequence[Port]) -> Mapping[Port, bool]:
        """Tell which are free; the documented generation does not tell tcp from udp."""
        try:
            answer = await self._client.check_ports(
                [{"port": port.port, "proto": port.protocol, "desc": ""} for port in ports]
            )
        except RejectedError:
            answer = await self._client.check_ports({"ports": [port.port for port in ports]})
            results = answer.get("results")
            free = results if isinstance(results, dict) else {}
            return {port: bool(coerce.boolean(free.get(str(port.port)))) for port in ports}
        if "conflicts" not in answer:
            raise UnavailableError(Reason.MALFORMED, "no conflicts")
        taken = {
            (coerce.integer(row.get("port")), coerce.text(row.get("proto")))
            for row in list_of(answer["conflicts"], null=True)
        }
        return {port: (port.port, port.protocol) not in taken for port in ports}

    @override
    async def resolve_name(self, name: str, exit_path: str | None = None) -> tuple[str, ...]:
        """Return a name's addresses."""
        answer = await self._client.resolve(name, exit_path or "")
        if found := coerce.texts(answer.get("ips")):
            return found
        raise RejectedError(self._transport.redact(answer.get("error")) or name)

    @override
    async def link_history(self, of: Around, peer_id: str) -> LinkHistory:
        """Tell how the link to a direct peer has been; the node knows nothing of the others."""
        path = self._path(of, peer_id)
        if of is Peer and "/" in path:
            raise InvalidInputError("no_link_of_its_own", name=path)
        latency = _of_peer(path, await self._client.peer_latency())
        rebinds = _of_peer(path, await self._client.peer_rebinds())
        return LinkHistory(
            connected=latency is not None,
            rebinds=None if rebinds is None else coerce.count(rebinds.get("rebind_checks")),
            samples=tuple(
                LatencySample(time=time, latency=coerce.count(sample.get("ms")))
                for sample in rows_of(None if latency is None else latency.get("history"))
                if (time := coerce.iso(sample.get("at")))
            ),
        )

    @override
    async def peers_of(self, of: Around, peer_id: str) -> tuple[Peer, ...]:
        """Return a peer's own peers, used or not."""
        path = self._path(of, peer_id)
        if of is Peer:
            await self._peer(path)
        rows = [
            {**row, ID: (below := f"{path}/{name}"), TITLE: below}
            for row in await self._client.peers_of(path)
            if (name := coerce.identifier(row.get("name")))
        ]
        return tuple((await PEER.many(rows)).values())

    @override
    async def describe_node(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what the node is made of, what it runs on and how its console is set up."""
        described: Mapping[str, Row] = {
            "build": {**await self._client.build_info(), **await self._client.build_id()},
            "machine": await self._feeds.optional(self._client.arch, {}),
            "settings": await self._client.ui_settings(),
        }
        return {subject: coerce.data(row) for subject, row in described.items()}

    @override
    async def backup(self) -> bytes:
        """Return a tar archive of the configuration; it holds all secrets."""
        return await self._client.backup()

    @override
    async def graph_layout(self) -> Mapping[str, Position]:
        """Return the positions by name."""
        layout = await self._client.graph_layout()
        rows = layout.get("positions", layout)
        positions = {
            name: Position(x=x, y=y)
            for name, row in (rows if isinstance(rows, dict) else {}).items()
            if isinstance(row, dict)
            and (x := coerce.number(row.get("x"))) is not None
            and (y := coerce.number(row.get("y"))) is not None
        }
        if rows != {} and not positions:
            raise UnavailableError(Reason.MALFORMED, "no positions")
        return positions

    @override
    async def set_graph_layout(self, positions: Mapping[str, Position]) -> None:
        """Replace all positions, in the frame in which they come."""
        rows = {name: {"x": place.x, "y": place.y} for name, place in positions.items()}
        framed = "positions" in await self._client.graph_layout()
        await self._client.set_graph_layout({"positions": rows} if framed else rows)
        if await self.graph_layout() != positions:
            raise InvalidInputError("not_taken", name="graph_layout")


def _of_peer(name: str, rows: Iterable[Row]) -> Row | None:
    """Return what the node tells of a direct peer; it lists those that are connected."""
    return next((row for row in rows if coerce.text(row.get("name")) == name), None)
