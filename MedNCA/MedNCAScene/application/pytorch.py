"""PyTorch, which only training needs: whether it is there, and how it is installed after the user was asked."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import slicer
from slicer.i18n import tr as _

import MedNCALib as mednca

_OLDEST = (2, 9)
_REQUIREMENT = "torch>=2.9"
_CPU_BUILDS = "https://download.pytorch.org/whl/cpu"


def missingTorch() -> str:
    """Why PyTorch cannot be used, in a sentence; empty if it can. PyTorch itself is not imported."""
    if find_spec("torch") is None:
        return _("Training needs PyTorch, which is not installed.")
    found = _version()
    if found is None:
        return ""
    numbers = tuple(int(part) for part in found.split("+")[0].split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        return _("Training needs PyTorch 2.9 or newer, and {version} is installed.").format(version=found)
    return ""


@cache
def _version() -> str | None:
    """The installed version, None if nothing says so. The panel asks often, and the answer takes milliseconds."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return None


def requireTorch() -> None:
    """Refuse a training without PyTorch.

    Raises:
        TrainingError: it is missing, or too old.
    """
    missing = missingTorch()
    if missing:
        raise mednca.TrainingError(_("{missing} Click Install PyTorch in the section Learn.").format(missing=missing))


def installTorch(onLine: Callable[[str], None], onDone: Callable[[str], None], folder: str = "") -> None:
    """Install PyTorch's build for the CPU; the user has been asked before.

    Slicer's PyTorch extension does it if that is installed, else Slicer's own way to install packages; where that can
    work in the background, the application stays alive.

    Args:
        onLine: called with each line that the installation says.
        onDone: called when it is over, with why it failed, or with an empty text.
        folder: with files that were copied from another computer; empty if they come from the network.
    """
    source = ["--no-index", "--find-links", folder] if folder else ["--index-url", _CPU_BUILDS]
    pytorch = None if folder else _extension()
    packaging = _packaging()
    try:
        if pytorch is not None:
            pytorch.PyTorchUtilsLogic().installTorch(
                askConfirmation=False, forceComputationBackend="cpu", torchVersionRequirement=_REQUIREMENT[5:]
            )
        elif packaging is not None:
            packaging.pip_install(
                [_REQUIREMENT, *source],
                blocking=False,
                show_progress=False,
                requester="MedNCA",
                logCallback=onLine,
                completedCallback=lambda code: onDone(_ended(code)),
            )
            return
        else:
            slicer.util.pip_install([_REQUIREMENT, *source])
    except Exception as error:  # of the network, of pip, of the extension
        onDone(_failed(str(error)))
        return
    onDone(_ended(0))


def copyingHelp() -> str:
    """What to do without a network."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return _(
        "Without a network: on another computer with the same system and Python {python}, run"
        ' "pip download torch --index-url {url} -d torch-files", copy the folder torch-files here, and click'
        " From a folder."
    ).format(python=python, url=_CPU_BUILDS)


def _extension() -> Any:
    """The module of Slicer's PyTorch extension; None if that is not installed."""
    return importlib.import_module("PyTorchUtils") if find_spec("PyTorchUtils") is not None else None


def _packaging() -> Any:
    """Slicer's module for packages; None in versions that have none."""
    try:
        return importlib.import_module("slicer.packaging")
    except ImportError:
        return None


def _ended(code: int) -> str:
    importlib.invalidate_caches()
    _version.cache_clear()
    if code:
        return _failed(_("the installer ended with code {code}").format(code=code))
    return missingTorch()


def _failed(reason: str) -> str:
    return _("PyTorch could not be installed: {reason}.").format(reason=reason.strip().rstrip("."))
