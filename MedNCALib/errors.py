"""The one family of errors that a user may see.

Every message is a sentence for the person in front of the screen: it names the thing, says what is wrong with it and
what to do. Callers catch `MedNCAError` and show `str(error)`; anything else is a defect of this project.
"""

from __future__ import annotations

from collections.abc import Sequence


class MedNCAError(Exception):
    """Base of all errors that are the input's or the setting's fault."""


class ImageError(MedNCAError):
    """An image, a label image or a region that cannot be used."""


class NotFoundError(ImageError):
    """An image in which a finder finds no structure, nothing that is sure, or several in place of one."""


class ModelError(MedNCAError):
    """A model folder that cannot be used."""


class TrainingError(MedNCAError):
    """Training data or training settings that cannot be used."""


class ArgumentError(MedNCAError, ValueError):
    """An argument of the wrong type or out of range; a `ValueError` too, as Python programs expect."""


class MedNCAWarning(UserWarning):
    """What a caller may want to know about an input that was read or segmented all the same.

    It is issued with `warnings.warn`: the command line prints it as one line, Python code may catch or filter it.
    """


_SHOWN = 5  # failures of a batch in one message


def all_failed(failures: Sequence[str]) -> MedNCAError:
    """The error of a batch of which nothing is done.

    Args:
        failures: why each case failed, at least one.
    """
    if len(failures) == 1:
        return MedNCAError(failures[0])
    more = f" (and {len(failures) - _SHOWN} more)" if len(failures) > _SHOWN else ""
    return MedNCAError(f"None of the {len(failures)} cases is done. {' '.join(failures[:_SHOWN])}{more}")


# All that a case may fail with through no defect of the program.
USER_ERRORS = (MedNCAError, OSError, MemoryError)


def failure_text(error: BaseException) -> str:
    """An error in a sentence."""
    if isinstance(error, MemoryError):
        return "There is not enough memory. Choose a region, or a smaller volume."
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return str(error) if isinstance(error, MedNCAError) else f"A defect in MedNCA: {type(error).__name__}: {error}"
