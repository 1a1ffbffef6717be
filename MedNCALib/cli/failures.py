"""What may go wrong through no defect of the program, and how it is said in one line."""

from __future__ import annotations

from ..errors import MedNCAError

# All that a command may fail with; anything else is a defect.
USER_ERRORS = (MedNCAError, OSError, MemoryError)


def failure_text(error: BaseException) -> str:
    """An error in a sentence."""
    if isinstance(error, MemoryError):
        return "There is not enough memory. Choose a region, or a smaller volume."
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return str(error)
