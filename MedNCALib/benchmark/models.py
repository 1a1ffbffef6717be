"""How long each model takes for a volume of its field, and how much memory, in a process of its own.

`python -m MedNCALib.benchmark.models FOLDER IMAGE ENGINE` is that process; it writes what it measured as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..errors import MedNCAError
from ..process_memory import peak_mb
from .child_process import json_of

if TYPE_CHECKING:
    import SimpleITK as sitk

    from ..model.model import Model

# An axial stack through the pelvis, for models whose card does not say how large their field is or how thick their
# slices are.
_FIELD_MM = (192.0, 192.0, 72.0)
_SPACING_MM = (0.75, 0.75, 3.0)

_TIMES_LARGER = 4


@dataclass(frozen=True)
class ModelCost:
    """What a volume costs with one kernel.

    Attributes:
        model: name of the model.
        kernel: "numpy" or "torch".
        shape: voxels of the volume along R, A and S.
        seconds: median over the processes, loading of the model included.
        peak_mb: the highest over the processes; None if the system does not report it.
        seconds_all_cells: likewise, if also cells run that do not matter; None if it was not measured.
        seconds_turn: median that regrowing around one correction takes; None for a model that cannot.
    """

    model: str
    kernel: str
    shape: tuple[int, int, int]
    seconds: float
    peak_mb: float | None
    seconds_all_cells: float | None = None
    seconds_turn: float | None = None


@dataclass(frozen=True)
class Scaling:
    """How cost grows with the volume.

    Attributes:
        model: name of the model.
        times_voxels: how many times as many voxels the larger volume has.
        times_seconds: how many times as long it takes.
        peak_mb: memory that it takes; None if the system does not report it.
    """

    model: str
    times_voxels: float
    times_seconds: float
    peak_mb: float | None


@dataclass(frozen=True)
class _Measured:
    seconds: float
    peak_mb: float | None
    seconds_all_cells: float
    seconds_turn: float | None


def measure(repetitions: int) -> tuple[ModelCost, ...]:
    """What each model costs with each kernel that is installed."""
    from ..model.model import list_models

    kernels = ["numpy", *(["torch"] if find_spec("torch") else [])]
    costs = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "volume.nrrd"
        for model in list_models():
            shape = write_volume(path, model)
            for kernel in kernels:
                found = [measure_in_process(_folder(model), path, kernel) for _ in range(repetitions)]
                turns = [each.seconds_turn for each in found if each.seconds_turn is not None]
                peaks = [each.peak_mb for each in found if each.peak_mb is not None]
                costs.append(
                    ModelCost(
                        model.name,
                        kernel,
                        shape,
                        seconds=median(each.seconds for each in found),
                        peak_mb=max(peaks) if len(peaks) == len(found) else None,
                        seconds_all_cells=median(each.seconds_all_cells for each in found),
                        seconds_turn=median(turns) if turns else None,
                    )
                )
    return tuple(costs)


def measure_scaling() -> Scaling | None:
    """Cost of a volume of a model's field, and of one that is larger along each axis; None without a model.

    The model is the one with the fewest parameters, the kernel NumPy's.
    """
    from ..model.model import list_models

    model = min(list_models(), key=lambda model: model.cascade.parameter_count, default=None)
    if model is None:
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "volume.nrrd"
        few = prod(write_volume(path, model))
        small = measure_in_process(_folder(model), path, "numpy")
        many = prod(write_volume(path, model, _TIMES_LARGER))
        large = measure_in_process(_folder(model), path, "numpy")
    return Scaling(model.name, many / few, large.seconds / small.seconds, large.peak_mb)


def write_volume(path: Path, model: Model, times: int = 1) -> tuple[int, int, int]:
    """Write the phantom on so many times the field of a model along each axis; gives its size in voxels.

    Voxels are as large as the model's pixels.
    """
    import SimpleITK as sitk

    from ..imaging.phantom import RAS_AXES, make_phantom

    field, own_spacing = model.card.field_of_view_mm, model.slice_format.spacing
    spacing = list(_SPACING_MM)
    if field is None or None in own_spacing:
        field = _FIELD_MM
    else:
        for letter, mm in zip(model.slice_format.letters, own_spacing):
            spacing[RAS_AXES[letter][0]] = mm or 1.0
    right, anterior, superior = (max(1, round(times * length / mm)) for length, mm in zip(field, spacing))
    size = (right, anterior, superior)
    sitk.WriteImage(make_phantom(size, (spacing[0], spacing[1], spacing[2])).image, str(path))
    return size


def measure_in_process(model: Path, image: Path, kernel: str) -> _Measured:
    """Segment an image in a process of its own.

    Raises:
        MedNCAError: it failed; the message names the model.
    """
    try:
        return _Measured(**json_of("-m", f"{__package__}.{Path(__file__).stem}", str(model), str(image), kernel))
    except MedNCAError as error:
        raise MedNCAError(f"The model in {model} could not be measured: {error}") from None


def measure_here(folder: str, image: str, kernel: Any) -> _Measured:
    """Load a model, segment a volume with it, then with all cells, then correct it; the volume is there before."""
    from ..automaton.kernels import make_kernel  # noqa: F401
    from ..io.images import read_image
    from ..model.card import AUTO
    from ..model.model import load_model
    from ..segmentation.regrowing import regrow
    from ..segmentation.segmenter import segment

    if kernel == "torch":
        import torch  # noqa: F401
    volume = read_image(Path(image))
    began = time.perf_counter()
    model = load_model(folder)
    result = segment(volume, model, engine=kernel)
    seconds, memory = time.perf_counter() - began, peak_mb()
    began = time.perf_counter()
    segment(volume, load_model(folder), engine=kernel, all_cells=True)
    seconds_all_cells = time.perf_counter() - began
    if not model.can_regrow:
        return _Measured(seconds, memory, seconds_all_cells, None)
    corrections = _one_correction(volume, model)
    began = time.perf_counter()
    regrow(volume, model, result.labels, corrections, engine=kernel, find="never", protocol=result.protocol or AUTO)
    return _Measured(seconds, memory, seconds_all_cells, time.perf_counter() - began)


def _one_correction(volume: sitk.Image, model: Model) -> sitk.Image:
    """The model's first label, said of a square of 6 mm in the middle of the volume, in one of the model's slices."""
    import SimpleITK as sitk

    from ..imaging.anatomical_axes import orientation

    said = sitk.Image(volume.GetSize(), sitk.sitkUInt8)
    said.CopyInformation(volume)
    across = 2 - orientation(volume, model.slice_format.axes).order[0]
    half = [0 if axis == across else round(3 / mm) for axis, mm in enumerate(volume.GetSpacing())]
    place = [
        slice(max(0, length // 2 - reach), length // 2 + reach + 1) for length, reach in zip(volume.GetSize(), half)
    ]
    said[place[0], place[1], place[2]] = model.labels[0].value
    return said


def _folder(model: Model) -> Path:
    if model.folder is None:
        raise MedNCAError(f"The model {model.name} is not in a folder and cannot be measured.")
    return model.folder


if __name__ == "__main__":
    json.dump(asdict(measure_here(*sys.argv[1:])), sys.stdout)
