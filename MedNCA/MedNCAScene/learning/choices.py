"""The plain choices of a training, as a preset: all else of it follows from the cases, or from a preset by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.atomic_write import written_whole
from MedNCALib.evaluation.perturbations import LabelledCase
from MedNCALib.imaging.label_wholes import key_of, split_wholes
from MedNCALib.io.image_label_pairs import find_pairs, labels_named_in, read_pair
from MedNCALib.io.segmentation_file import read_segments
from MedNCALib.training.proposal import Proposal, propose_preset, spread_over

from ..library import LIBRARY, homeFolder
from .cases import LearningCase, Naming, imagesOf, labelsOf, wholesOf

AUTO = "auto"  # the engine proposes one from the cases


def proposal(cases: Sequence[LearningCase], naming: Naming, startFrom: mednca.Model | None = None) -> Proposal:
    """What some cases of the scene suggest; it needs no PyTorch.

    Raises:
        MedNCAError: they cannot be learned from.
    """
    labels = labelsOf(cases, naming)
    images = [(case.name, *imagesOf(case, naming, labels)[:2]) for case in spread_over(cases)]
    some = [LabelledCase(*each) for each in images]
    return propose_preset(some, wholesOf(cases, naming)[0], startFrom, len(cases))


def proposalForFolders(images: str, labels: str, startFrom: mednca.Model | None = None) -> Proposal:
    """What the cases of two folders suggest; as `proposal`."""
    pairs = find_pairs(images, labels)
    table = labels_named_in(pairs)
    some = [LabelledCase(pair.name, *read_pair(pair, table or None)) for pair in spread_over(pairs)]
    segments = [{key_of(label.name) for label in read_segments(pair.label).values()} for pair in pairs]
    used = [{label.value for label in table if key_of(label.name) in names} for names in segments]
    return propose_preset(some, split_wholes(table, used)[0], startFrom, len(pairs))


def presetNames() -> list[str]:
    """Names of the presets that go by a folder of images and one of labels."""
    # The package of the presets is that of the training, which needs PyTorch; the files do not.
    files = sorted(_folder().glob("*.json"))
    return [file.stem for file in files if not json.loads(file.read_text(encoding="utf-8")).get("collections")]


def presetFor(
    preset: str, slices: str | None, mirror: bool | None, suggested: Callable[[], Proposal], file: Path
) -> str:
    """The preset that `mednca train` takes.

    Args:
        preset: "auto", a name, or a file.
        slices: axes of the slices, "LPS" (axial), "LIP" (coronal) or "PIL" (sagittal); None leaves it to the preset.
        mirror: whether to learn from mirrored images, too; None leaves it to the preset.
        suggested: what the cases suggest, which the two change if the preset is "auto".
        file: that a changed preset is written to.

    Returns:
        The preset itself, or the path of the file.

    Raises:
        MedNCAError: there is no such preset to change.
    """
    if slices is None and mirror is None:
        return preset
    try:
        base = _folder() / f"{preset}.json"
        path = base if base.is_file() else Path(preset)
        settings = suggested().settings if preset == AUTO else json.loads(path.read_text(encoding="utf-8"))
        if slices is not None:
            settings["preprocessing"]["axes"] = slices
        if mirror is not None:
            settings["augmentation"]["mirror"] = mirror
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise mednca.TrainingError(_("There is no preset {name}: choose another.").format(name=preset)) from error
    with written_whole(file) as path:
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return str(file)


def _folder() -> Path:
    return homeFolder() / LIBRARY / "training" / "presets"
