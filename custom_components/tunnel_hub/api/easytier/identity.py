"""What a node manager is known by at another address: it tells nothing of itself, but lists nodes.

A node's report token is a secret of that server, so one of them in common is proof. Where a server
does not tell it, there are ids, names and addresses, which another server may list as well.
"""

from collections.abc import Iterable
from hashlib import sha256
from heapq import nsmallest

from .. import coerce
from ..rows import Row
from ..throttling import iterate
from . import models

_MOST = 10
"""As many of the oldest nodes are remembered: they stay the longest."""
_ENOUGH = 3
"""As many nodes that are alike at two servers are no coincidence."""
_PROOF, _HINT = "t", "n"
"""How the digest of a report token begins, and that of anything else."""


async def digests_of(listed: Iterable[Row]) -> str:
    """Return what the oldest of the listed nodes are known by, as words; "" if there are none."""
    # Numbers first, and no two rows are compared themselves.
    numbered = [
        (coerce.integer(row.get("id")) or 0, n, row) async for n, row in iterate(enumerate(listed))
    ]
    return " ".join(_digest(row) for _, _, row in nsmallest(_MOST, numbered))


def _digest(row: Row) -> str:
    if token := coerce.secret(row.get("report_token")):
        kind, words = _PROOF, [token]
    else:
        id_, name = coerce.identifier(row.get("id")), coerce.text(row.get("node_name"))
        kind, words = _HINT, [id_ or "", name or "", *models.addresses(row)]
    return f"{kind}{sha256('\n'.join(words).encode()).hexdigest()[:12]}"


def is_same(one: str, other: str) -> bool | None:
    """Tell whether two servers, known by these digests, are one; None if that remains open."""
    ours, theirs = set(one.split()), set(other.split())
    if not ours or not theirs:
        return None
    common = ours & theirs
    if any(digest.startswith(_PROOF) for digest in common):
        return True
    if not common:
        return False
    return True if ours == theirs and len(common) >= _ENOUGH else None
