"""How long a large volume takes in which there is one small structure, with and without the cells that do not matter.

`python -m MedNCALib.benchmark.large_volume FOLDER` measures one model in a process of its own and writes it as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass

from ..errors import MedNCAError
from ..process_memory import peak_mb
from .child_process import json_of

SHAPE = (512, 512, 600)  # voxels along R, A and S: a head
_SPACING_MM = 0.5
_PHANTOM = (80, 112, 80)
_SLAB = 20  # every cell costs the same if all run: one of so many parts of the volume stands for the others


@dataclass(frozen=True)
class LargeVolume:
    """What a large volume costs with NumPy.

    Attributes:
        model: name of the model.
        shape: voxels of the volume along R, A and S.
        seconds: loading of the model included.
        seconds_all_cells: if all cells run, from a part of the volume.
        peak_mb: memory; None if the system does not report it.
    """

    model: str
    shape: tuple[int, int, int]
    seconds: float
    seconds_all_cells: float
    peak_mb: float | None


def measure_large() -> LargeVolume | None:
    """The large volume with the smallest model that takes a stack's own slices and need not run all cells.

    Returns:
        What it costs; None if there is no such model.

    Raises:
        MedNCAError: it failed; the message names the model.
    """
    from ..model.model import list_models

    models = [
        model
        for model in list_models()
        if model.skip_rule and model.slice_format.spacing[2] is None and model.slice_format.size is None
    ]
    model = min(models, key=lambda model: model.cascade.parameter_count, default=None)
    if model is None:
        return None
    try:
        found = json_of("-m", f"{__package__}.large_volume", str(model.folder))
    except MedNCAError as error:
        raise MedNCAError(f"The model in {model.folder} could not be measured: {error}") from None
    return LargeVolume(**{**found, "shape": tuple(found["shape"])})


def measure_here(folder: str) -> LargeVolume:
    """Build the volume, a phantom amid dim noise, and segment it; of all cells only a slab of slices."""
    import numpy as np
    import SimpleITK as sitk

    from ..imaging.phantom import RAS_AXES, make_phantom
    from ..model.model import load_model
    from ..segmentation.segmenter import segment

    phantom = sitk.GetArrayFromImage(make_phantom(_PHANTOM, (_SPACING_MM,) * 3).image)
    scale = np.percentile(phantom, 99.5)
    noise = np.random.default_rng(0).standard_normal(SHAPE[::-1], np.float32)
    voxels = (noise * 0.02 * scale + 0.1 * scale).astype(np.int16)
    del noise
    corner = [(length - part) // 2 for length, part in zip(voxels.shape, phantom.shape)]
    voxels[tuple(slice(start, start + part) for start, part in zip(corner, phantom.shape))] = phantom
    volume = sitk.GetImageFromArray(voxels)
    volume.SetSpacing((_SPACING_MM,) * 3)
    volume.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))  # RAS, as the phantom
    began = time.perf_counter()
    model = load_model(folder)
    segment(volume, model, engine="numpy")
    seconds, memory = time.perf_counter() - began, peak_mb()
    # The model's slices lie one after the other along this axis of the image.
    along = RAS_AXES[model.slice_format.letters[2]][0]
    slab = SHAPE[along] // _SLAB
    low, high = [-0.5, -0.5, -0.5], [length - 0.5 for length in SHAPE]
    low[along] = SHAPE[along] // 2 - 0.5
    high[along] = low[along] + slab
    region = [bound * _SPACING_MM for pair in zip(low, high) for bound in pair]
    began = time.perf_counter()
    segment(volume, model, engine="numpy", region=region, all_cells=True)
    times = SHAPE[along] / slab
    return LargeVolume(model.name, SHAPE, seconds, (time.perf_counter() - began) * times, memory)


if __name__ == "__main__":
    json.dump(asdict(measure_here(*sys.argv[1:])), sys.stdout)
