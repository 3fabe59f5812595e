"""Seeds: fixed values, no collisions, no global state."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maspo.seeding import derive_seed, numpy_generator

PARTS = st.lists(st.integers(0, 2**63 - 1) | st.text(max_size=8), min_size=1, max_size=4)


def test_seeds_never_change_between_versions():
    assert derive_seed(1, "rollout", 1, 0) == 8997928607833542299
    assert numpy_generator(1, "epoch", 0).integers(1000, size=4).tolist() == [987, 362, 730, 28]


@given(PARTS, PARTS)
def test_different_names_have_different_seeds(first, second):
    assert (derive_seed(*first) == derive_seed(*second)) == (
        [(type(p), p) for p in first] == [(type(p), p) for p in second]
    )


@given(PARTS)
def test_seeds_fit_a_signed_64_bit_integer(parts):
    assert 0 <= derive_seed(*parts) < 2**63


def test_no_global_generator_is_touched():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    numpy_generator(1, "x").random(10)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
