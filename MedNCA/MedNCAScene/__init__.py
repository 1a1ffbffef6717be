"""All of the module that touches the MRML scene, one idea a file.

Importing this package also makes MedNCALib importable, see `library`.
"""

from .library import importLibrary

importLibrary()
