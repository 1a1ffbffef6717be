"""Checkpoints of the public Med-NCA reference code as model folders that compute the same.

What the reference code does, and what it becomes here:

- It works on arrays (x, y) as read from NIfTI, and swaps both axes before each convolution, so its kernels' first axis
  runs along y. Here columns run along x and rows along y, which reads the kernels transposed by itself.
- A cell fires where a uniform draw is *above* its fire rate: the chance is one minus that rate.
- Each slice is resized to a square with cubic interpolation, whatever its spacing, and scaled to 0..1 between its own
  0.5 and 99.5 percentiles (the scalings before that are linear and change nothing).
- The image is made four times smaller by linear interpolation between the middle pixels, the state four times larger by
  nearest neighbours. Reflect padding, one output with a sigmoid, slices along the third axis.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..automaton.architecture import Architecture, Stage
from ..automaton.cascade import Cascade
from ..automaton.rule import Rule
from ..errors import ModelError
from ..imaging.labels import Label, read_labels
from ..imaging.laterality import split_by_side
from ..imaging.normalisation import Normalisation
from ..imaging.slice_format import SliceFormat
from .card import ModelCard
from .model import LABELS, Model

_KEYS = ("fc0.weight", "fc0.bias", "fc1.weight", "p0.weight", "p0.bias", "p1.weight", "p1.bias")
_SCALE = 4


def import_reference(
    stage1: str | Path, stage2: str | Path, output: str | Path, size: int = 64, steps: int = 16, fire_rate: float = 0.5
) -> Model:
    """Turn two checkpoints into a model folder.

    Args:
        stage1, stage2: state dicts (`.pth`) of the coarse and of the fine automaton.
        output: the model folder; a `labels.csv` that is already there names the label.
        size: rows and columns that the reference resized each slice to, a multiple of 4.
        steps: steps of each stage.
        fire_rate: `cell_fire_rate` of the reference's configuration.

    Raises:
        ModelError: a file that is no such checkpoint, or settings that do not fit.
    """
    if size < _SCALE or size % _SCALE:
        raise ModelError(f"The size must be a multiple of {_SCALE}, not {size}.")
    if steps < 1:
        raise ModelError(f"The number of steps must be at least 1, not {steps}.")
    rules = tuple(_read_rule(Path(path)) for path in (stage1, stage2))
    if rules[0].update.shape != rules[1].update.shape:
        raise ModelError(f"{stage1} and {stage2} have different numbers of channels and do not belong together.")
    channels, hidden = rules[0].update.shape
    try:
        cascade = Cascade(_architecture(channels, hidden, steps, 1 - fire_rate), rules)
    except ValueError as error:
        raise ModelError(f"{stage1} and {stage2} make no model: {error}.") from error
    output = Path(output)
    table = output / LABELS
    labels = split_by_side(read_labels(table))[0] if table.is_file() else (Label(1, "Foreground"),)
    if len(labels) != 1:
        raise ModelError(f"{output / LABELS} names {len(labels)} labels; a reference checkpoint finds one.")
    card = ModelCard(
        name=output.resolve().name,
        title=output.resolve().name,
        description="Imported from two checkpoints of the Med-NCA reference code.",
        modality="not stated",
        anatomy="not stated",
        limits=("Research use only; not a medical device.", "Not measured since it was imported."),
        licence="that of the checkpoints",
    )
    slice_format = SliceFormat("RAS", (None, None, None), (size, size), "cubic")
    model = Model(card, cascade, slice_format, Normalisation("slice", (0.5, 99.5)), labels)
    return model.save(output)


def _architecture(channels: int, hidden: int, steps: int, fire_rate: float) -> Architecture:
    """What the reference code's two automata are."""
    return Architecture(
        channels=channels,
        hidden=hidden,
        filters=2 * channels,
        kernel_size=3,
        image_channels=1,
        outputs=1,
        activation="sigmoid",
        fire_rate=fire_rate,
        padding="reflect",
        downscale="linear",
        handover="nearest",
        stages=(Stage(_SCALE, steps), Stage(1, steps)),
    )


def _read_rule(path: Path) -> Rule:
    try:
        import torch  # only this import and training need it
    except ImportError as error:
        raise ModelError(
            "Reading PyTorch checkpoints needs PyTorch, which is not installed: pip install torch"
        ) from error
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"{path} does not exist.") from error
    except Exception as error:  # torch raises many kinds for a file that is not its own or that holds code
        raise ModelError(f"{path} is not a PyTorch state dict that can be loaded safely.") from error
    missing = [key for key in _KEYS if not (isinstance(saved, dict) and torch.is_tensor(saved.get(key)))]
    if missing:
        raise ModelError(f"{path} is not a checkpoint of a Med-NCA automaton: it lacks {', '.join(missing)}.")
    arrays = {key: saved[key].numpy().astype(np.float32) for key in _KEYS}
    try:
        return Rule(
            perception=np.concatenate([arrays["p0.weight"], arrays["p1.weight"]]),
            perception_bias=np.concatenate([arrays["p0.bias"], arrays["p1.bias"]]),
            hidden=arrays["fc0.weight"],
            hidden_bias=arrays["fc0.bias"],
            update=arrays["fc1.weight"],
        )
    except ValueError as error:
        raise ModelError(f"{path} is not a checkpoint of a Med-NCA automaton: {error}.") from error
