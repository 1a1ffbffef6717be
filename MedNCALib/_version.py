"""The one place that holds the version; CMake, the package and the cards take it from here."""

__version__ = "0.1.0"
