"""Tests the paths into a simulator's state."""

import pytest

from simulator import dotted_paths


def test_escaped_dot_in_a_key() -> None:
    state = {"proxies": {"alice.nas": {"connections": 1}, "alice": {"nas": {"connections": 2}}}}

    dotted_paths.put(state, r"proxies.alice\.nas.connections", 7)

    assert state["proxies"]["alice.nas"] == {"connections": 7}
    assert state["proxies"]["alice"] == {"nas": {"connections": 2}}
    with pytest.raises(LookupError):
        dotted_paths.put(state, "proxies.bob.nas.connections", 7)
