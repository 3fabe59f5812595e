"""A package that waits for its first use."""

import sys

import pytest

from maspo.lazy import LazyPackage, import_lazily


@pytest.fixture
def unloaded(monkeypatch):
    """Return the name of a module that is not loaded, and that nobody else needs."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    return "colorsys"


def test_a_package_is_loaded_when_an_attribute_is_read(unloaded):
    import_lazily(unloaded)
    import colorsys

    assert isinstance(sys.modules[unloaded], LazyPackage)
    assert colorsys.rgb_to_hsv(1, 1, 1) == (0, 0, 1)
    loaded = sys.modules[unloaded]
    assert not isinstance(loaded, LazyPackage)
    assert colorsys.hsv_to_rgb is loaded.hsv_to_rgb
    with pytest.raises(AttributeError, match="no_such_name"):
        colorsys.no_such_name  # noqa: B018


def test_what_is_loaded_stays_as_it_is():
    before = sys.modules["pytest"]
    import_lazily("pytest")
    assert sys.modules["pytest"] is before
