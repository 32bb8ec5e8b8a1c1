"""Strategies for what a service may send."""

from hypothesis import strategies as st

_NEARLY_NUMBERS = st.text("0123456789+-.eE% _", max_size=24)
_WORDS = st.sampled_from(
    ["", " ", "true", "False", "null", "None", "95.65%", "-1", "253402300799", "NaN", "1e400"]
)


def json_values() -> st.SearchStrategy[object]:
    """Whatever a JSON decoder may return: its whole numbers have 64 bits at most."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
        | _NEARLY_NUMBERS
        | _WORDS
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    )
