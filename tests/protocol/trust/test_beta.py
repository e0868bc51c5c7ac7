"""The quantile of the Beta distribution, against closed forms and against itself."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargemesh_protocol.trust.beta import cumulative, quantile


@pytest.mark.parametrize("a", [0.5, 1.0, 2.0, 7.5, 300.0])
def test_one_sided_shapes_have_a_closed_form(a: float) -> None:
    assert quantile(0.05, a, 1.0) == pytest.approx(0.05 ** (1 / a), abs=1e-12)
    assert quantile(0.05, 1.0, a) == pytest.approx(1 - 0.95 ** (1 / a), abs=1e-12)


@given(a=st.integers(1, 40), b=st.integers(1, 40), x=st.floats(0.001, 0.999))
def test_whole_numbers_match_the_binomial_sum(a: int, b: int, x: float) -> None:
    n = a + b - 1
    binomial = sum(comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
    assert cumulative(x, a, b) == pytest.approx(binomial, abs=1e-10)


@given(a=st.floats(1, 5000), b=st.floats(1, 5000), p=st.floats(0.01, 0.99))
def test_quantile_inverts_the_distribution(a: float, b: float, p: float) -> None:
    assert cumulative(quantile(p, a, b), a, b) == pytest.approx(p, abs=1e-8)


@given(a=st.floats(1, 100), b=st.floats(1, 100), more=st.floats(0.01, 10))
def test_praise_raises_and_blame_lowers(a: float, b: float, more: float) -> None:
    assert quantile(0.05, a + more, b) > quantile(0.05, a, b) > quantile(0.05, a, b + more)


def test_the_ends() -> None:
    assert cumulative(-1.0, 2, 3) == cumulative(0.0, 2, 3) == 0.0
    assert cumulative(1.0, 2, 3) == 1.0
