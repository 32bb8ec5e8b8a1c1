"""Recognizes a node manager at another address by its nodes, because it has no id of its own.

The report token of a node is a secret of its server, so a common token is proof. If a server does
not provide tokens, ids, names and addresses are compared, which another server may also list.
"""

from collections.abc import Iterable
from hashlib import sha256
from heapq import nsmallest

from .. import coerce
from ..rows import Row
from ..time_slices import iterate
from . import models

_MOST = 10
"""The number of oldest nodes that are remembered, because they stay the longest."""
_ENOUGH = 3
"""The number of common nodes that are not a coincidence."""
_PROOF, _HINT = "t", "n"
"""How the digest of a report token begins, and that of anything else."""


async def digests_of(listed: Iterable[Row]) -> str:
    """Return digests of the oldest nodes, separated by spaces; "" if there are none."""
    # Sorted by number only; rows cannot be compared.
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
    """Return whether two servers with these digests are the same; None if it is uncertain."""
    ours, theirs = set(one.split()), set(other.split())
    if not ours or not theirs:
        return None
    common = ours & theirs
    if any(digest.startswith(_PROOF) for digest in common):
        return True
    if not common:
        return False
    return True if ours == theirs and len(common) >= _ENOUGH else None
