"""How long each model takes for a volume of its field, and how much memory, in a process of its own.

`python -m MedNCALib.benchmark.models FOLDER IMAGE ENGINE` is that process; it prints what it measured as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ..errors import MedNCAError
from ..process_memory import peak_mb
from .child_process import json_of

# An axial stack through the pelvis, taken where a card does not say how large its field is or how thick its slices.
_FIELD_MM = (192.0, 192.0, 72.0)
_SPACING_MM = (0.75, 0.75, 3.0)

_TIMES_LARGER = 4


def measure(repetitions: int) -> list[dict]:
    """One row for each model and kernel, with the JSON's keys: medians of several processes, and the highest peak."""
    from ..model.model import list_models

    engines = ["numpy", *(["torch"] if find_spec("torch") else [])]
    rows = []
    with TemporaryDirectory() as folder:
        for model in list_models():
            path = Path(folder) / "volume.nrrd"
            shape = _write_volume(path, model)
            for engine in engines:
                found = [_in_own_process(model.folder, path, engine) for _ in range(repetitions)]
                peaks = [each["peak_mb"] for each in found]
                rows.append(
                    {
                        "model": model.name,
                        "kernel": engine,
                        "shape": shape,
                        "seconds": median(each["seconds"] for each in found),
                        "peak_mb": None if None in peaks else max(peaks),
                    }
                )
    return rows


def measure_scaling() -> dict | None:
    """How cost grows with the volume: {"model", "times_voxels", "times_seconds", "peak_mb"}; None without a model.

    The model with the fewest parameters, NumPy, a volume of its field and one that is larger along each axis.
    """
    from ..model.model import list_models

    model = min(list_models(), key=lambda model: model.cascade.parameter_count, default=None)
    if model is None:
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder) / "volume.nrrd"
        found = []
        for times in (1, _TIMES_LARGER):
            shape = _write_volume(path, model, times)
            found.append((shape[0] * shape[1] * shape[2], _in_own_process(model.folder, path, "numpy")))
    (few, small), (many, large) = found
    return {
        "model": model.name,
        "times_voxels": many / few,
        "times_seconds": large["seconds"] / small["seconds"],
        "peak_mb": large["peak_mb"],
    }


def _write_volume(path: Path, model, times: int = 1) -> list[int]:
    """Write the phantom on so many times the field of a model along each axis; gives its size in voxels.

    Voxels are as large as the model's pixels.
    """
    import SimpleITK as sitk

    from ..imaging.phantom import RAS_AXES, make_phantom

    field, spacing = model.card.get("field_of_view_mm"), [1.0] * 3
    if field is None or None in model.slice_format.spacing:
        field, spacing = _FIELD_MM, _SPACING_MM
    else:
        for letter, mm in zip(model.slice_format.letters, model.slice_format.spacing):
            spacing[RAS_AXES[letter][0]] = mm
    size = [max(1, round(times * length / mm)) for length, mm in zip(field, spacing)]
    sitk.WriteImage(make_phantom(size, spacing).image, str(path))
    return size


def _in_own_process(model: Path, image: Path, engine: str) -> dict:
    try:
        return json_of("-m", f"{__package__}.{Path(__file__).stem}", str(model), str(image), engine)
    except MedNCAError as error:
        raise MedNCAError(f"The model in {model} could not be measured: {error}") from None


def _measure_here(folder: str, image: str, engine: str) -> dict:
    """Load a model and segment a volume with it; what is imported and the volume itself are there before."""
    from ..automaton.kernels import make_kernel  # noqa: F401
    from ..io.images import read_image
    from ..model.model import load_model
    from ..segmentation.segmenter import segment

    if engine == "torch":
        import torch  # noqa: F401
    volume = read_image(Path(image))
    began = time.perf_counter()
    segment(volume, load_model(folder), engine=engine)
    return {"seconds": time.perf_counter() - began, "peak_mb": peak_mb()}


if __name__ == "__main__":
    print(json.dumps(_measure_here(*sys.argv[1:])))
