"""A package that is imported once something is asked of it."""

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any


class LazyPackage(ModuleType):
    """Stands for a package until its first attribute is read.

    The `LazyLoader` of importlib would do; in Python 3.11 a second `import` is enough to end it.
    """

    def __getattr__(self, attribute: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), attribute)


def import_lazily(name: str) -> None:
    """Let `import <name>` wait for the first use of the package, if it is not there already.

    Submodules must not be imported before that.
    """
    if name not in sys.modules:
        package = LazyPackage(name)
        package.__spec__ = find_spec(name)
        sys.modules[name] = package
