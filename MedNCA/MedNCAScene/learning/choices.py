"""The plain choices of a training, as a preset: all else of it follows from the cases, or from a preset by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.atomic_write import written_whole

from ..library import LIBRARY, homeFolder

AUTO = "auto"  # the engine proposes one from the cases
_BASE = "general"  # what the plain choices change


def presetNames() -> list[str]:
    """Names of the presets that go by a folder of images and one of labels."""
    # The package of the presets is that of the training, which needs PyTorch; the files do not.
    files = sorted(_folder().glob("*.json"))
    return [file.stem for file in files if not json.loads(file.read_text(encoding="utf-8")).get("collections")]


def presetFor(preset: str, slices: str | None, mirror: bool | None, file: Path) -> str:
    """The preset that `mednca train` takes.

    Args:
        preset: "auto", a name, or a file.
        slices: axes of the slices, "LPS" (axial), "LIP" (coronal) or "PIL" (sagittal); None leaves it to the preset.
        mirror: whether to learn from mirrored images, too; None leaves it to the preset.
        file: that a changed preset is written to.

    Returns:
        The preset itself, or the path of the file.

    Raises:
        TrainingError: there is no such preset to change.
    """
    if slices is None and mirror is None:
        return preset
    name = _BASE if preset == AUTO else preset
    base = _folder() / f"{name}.json"
    try:
        settings: dict[str, Any] = json.loads((base if base.is_file() else Path(name)).read_text(encoding="utf-8"))
        if slices is not None:
            settings["preprocessing"]["axes"] = slices
        if mirror is not None:
            settings["augmentation"]["mirror"] = mirror
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise mednca.TrainingError(_("There is no preset {name}: choose another.").format(name=name)) from error
    with written_whole(file) as path:
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return str(file)


def _folder() -> Path:
    return homeFolder() / LIBRARY / "training" / "presets"
