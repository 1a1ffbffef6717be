"""The panel: one class for each of its sections, and its sentences."""

import MedNCAScene  # noqa: F401  makes MedNCALib importable, which the panel imports too
