"""Tests the selection of nodes."""

from collections.abc import Mapping

import pytest

from custom_components.tunnel_hub.api.models.nodes import Node
from custom_components.tunnel_hub.api.node_filter import NodeFilter

NODES = {id_: Node(id=id_, name=f"node {id_}", online=True) for id_ in ("1", "2", "3")}


@pytest.mark.parametrize(
    "options, ids",
    [
        ({}, ["1", "2", "3"]),
        ({"nodes": "all"}, ["1", "2", "3"]),
        ({"nodes": "used"}, ["2"]),
        ({"nodes": "chosen", "chosen_nodes": ["3", "1", "9"]}, ["1", "3"]),
        ({"nodes": "chosen", "chosen_nodes": []}, []),
        ({"nodes": "chosen"}, []),
        ({"nodes": "chosen", "chosen_nodes": None}, []),
        ({"nodes": "all", "chosen_nodes": ["3"]}, ["1", "2", "3"]),
        ({"nodes": "something new"}, ["1", "2", "3"]),
    ],
)
def test_selected_nodes(options: Mapping[str, object], ids: list[str]) -> None:
    assert list(NodeFilter(options).select(NODES, {"2", "8"})) == ids


def test_nodes_in_use_are_marked_and_enabled() -> None:
    selected = NodeFilter({}).select(NODES, {"2"})

    assert selected["2"] == Node(id="2", name="node 2", online=True, in_use=True)
    assert [node.enabled_by_default for node in selected.values()] == [False, True, False]
    assert selected["1"] is NODES["1"]
