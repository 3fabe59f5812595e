"""Skip the tests of a package that is not installed, and say how to get it."""

from collections.abc import Callable
from importlib.util import find_spec

import pytest


def skip_without(package: str, command: str) -> Callable:
    """Return a hook for a folder's conftest: without `package` its modules are not imported."""
    spec = find_spec(package)
    # A folder of tests may have the package's name: that is a namespace, without a file.
    installed = spec is not None and spec.origin is not None

    class Skipped(pytest.Module):
        def collect(self):
            pytest.skip(f"{package} is not installed here: {command}", allow_module_level=True)

    def pytest_pycollect_makemodule(module_path, parent):
        return None if installed else Skipped.from_parent(parent, path=module_path)

    return pytest_pycollect_makemodule
