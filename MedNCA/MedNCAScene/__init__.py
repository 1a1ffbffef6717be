"""All of the module that touches the MRML scene, one idea a file.

`engine` is the package MedNCALib that came with the module: it stands beside the module where the extension is
installed, and one folder up in the source tree, and goes before any other copy. Whoever imports this package can import
it too.
"""

import sys
from pathlib import Path

_module = Path(__file__).resolve().parent.parent
_home = next((folder for folder in (_module, _module.parent) if (folder / "MedNCALib").is_dir()), None)
if _home is None:
    raise ImportError(f"MedNCALib is neither in {_module} nor in {_module.parent}: install the extension again.")
if str(_home) not in sys.path:
    sys.path.insert(0, str(_home))

import MedNCALib as engine  # noqa: E402  can be found only from here on

__all__ = ["engine"]
