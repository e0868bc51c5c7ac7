"""Hypothesis strategies for CBOR: trees that may be written, and bytes that are a little or wholly wrong."""

from __future__ import annotations

from hypothesis import strategies as st

from chargemesh_protocol.encoding import Tree

_EDGES = [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1, -1, -24, -25, -(2**63)]
leaves = st.one_of(
    st.sampled_from(_EDGES),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=40),
    st.text(max_size=30),
    st.booleans(),
)
trees: st.SearchStrategy[Tree] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.integers(0, 23), inner, max_size=5)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """`good` with one byte changed, put in or taken out, or with its end cut off or doubled."""
    at = draw(st.integers(0, len(good) - 1))
    byte = draw(st.integers(0, 255))
    return draw(
        st.sampled_from(
            [
                good[:at] + bytes([byte]) + good[at + 1 :],
                good[:at] + bytes([byte]) + good[at:],
                good[:at] + good[at + 1 :],
                good[:at],
                good + good[at:],
            ]
        )
    )
