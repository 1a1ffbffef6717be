"""Undoes what Reload does to the imported packages.

A scripted module may drop its packages when it is reloaded, so that they are read anew. In Slicer that ends with the
session. Here the next test would meet two classes of one name: those that it imported, and those of the new packages.
"""

import sys


class ImportedModules:
    """The modules that are imported at some time."""

    def __init__(self):
        self._modules = dict(sys.modules)

    def restore(self):
        """Put the packages back that were replaced or dropped since."""
        replaced = {_package(name) for name, module in self._modules.items() if sys.modules.get(name) is not module}
        for name in [name for name in sys.modules if _package(name) in replaced]:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in self._modules.items() if _package(name) in replaced})


def _package(name):
    return name.partition(".")[0]
