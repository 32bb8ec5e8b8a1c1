"""Tests whether two servers are recognized as the same by their lists."""

import pytest

from custom_components.tunnel_hub.api.easytier.server_identity import digests_of, is_same

type Nodes = list[dict[str, object]]


def named(*names: str) -> Nodes:
    """Return nodes with these names and ascending ids."""
    return [{"id": number, "node_name": name} for number, name in enumerate(names, 1)]


@pytest.mark.parametrize(
    "ours, theirs, same",
    [
        # No other node has the token, even if the node was renamed.
        (
            [{"id": 1, "node_name": "a", "report_token": "t-1"}, *named("b")],
            [{"id": 9, "node_name": "z", "report_token": "t-1"}],
            True,
        ),
        # Three nodes with the same id and name are no coincidence, two may be.
        (named("a", "b", "c"), named("a", "b", "c"), True),
        (named("a", "b"), named("a", "b"), None),
        (named("a", "b", "c"), named("a", "b", "c", "d"), None),
        (named("a", "b"), named("c", "d"), False),
        ([], named("a"), None),
    ],
)
async def test_is_same(ours: Nodes, theirs: Nodes, same: bool | None) -> None:
    assert is_same(await digests_of(ours), await digests_of(theirs)) is same
