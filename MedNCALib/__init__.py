"""MedNCA: segmentation of medical volumes with Neural Cellular Automata.

    import MedNCALib as mednca

    model = mednca.load_model("hippocampus-mr")
    result = mednca.segment(image, model)  # SimpleITK.Image in; result.labels has the same geometry

The library needs numpy and SimpleITK. Names are imported when they are first used, so that importing the package costs
nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .errors import ImageError, MedNCAError, ModelError, NotFoundError, TrainingError
    from .evaluation.stress_test import StressTest, stress_test, stress_test_steps
    from .imaging.labels import Label
    from .imaging.phantom import Phantom, make_phantom
    from .io.image_sequence import read_sequence
    from .io.images import read_image
    from .io.segmentation_file import write_segmentation
    from .measurement.cardiac import chamber_volumes
    from .measurement.volumes import Measurement, measure
    from .model.model import Model, check_model, list_models, load_model
    from .segmentation.found_structures import Finding, FoundStructure
    from .segmentation.options import RunOptions
    from .segmentation.quality import Quality
    from .segmentation.regrowing import Regrown, regrow, regrow_steps
    from .segmentation.segmenter import segment, segment_steps
    from .segmentation.sequence import segment_sequence_steps
    from .segmentation.steps import Result, Step

_HOMES = {
    "MedNCAError": "errors",
    "ImageError": "errors",
    "ModelError": "errors",
    "NotFoundError": "errors",
    "TrainingError": "errors",
    "Label": "imaging.labels",
    "Model": "model.model",
    "load_model": "model.model",
    "list_models": "model.model",
    "check_model": "model.model",
    "segment": "segmentation.segmenter",
    "segment_steps": "segmentation.segmenter",
    "RunOptions": "segmentation.options",
    "Finding": "segmentation.found_structures",
    "FoundStructure": "segmentation.found_structures",
    "Step": "segmentation.steps",
    "Result": "segmentation.steps",
    "Quality": "segmentation.quality",
    "regrow": "segmentation.regrowing",
    "regrow_steps": "segmentation.regrowing",
    "Regrown": "segmentation.regrowing",
    "measure": "measurement.volumes",
    "Measurement": "measurement.volumes",
    "stress_test": "evaluation.stress_test",
    "stress_test_steps": "evaluation.stress_test",
    "StressTest": "evaluation.stress_test",
    "make_phantom": "imaging.phantom",
    "Phantom": "imaging.phantom",
    "read_image": "io.images",
    "read_sequence": "io.image_sequence",
    "segment_sequence_steps": "segmentation.sequence",
    "chamber_volumes": "measurement.cardiac",
    "write_segmentation": "io.segmentation_file",
}

__all__ = [
    "Finding",
    "FoundStructure",
    "ImageError",
    "Label",
    "Measurement",
    "MedNCAError",
    "Model",
    "ModelError",
    "NotFoundError",
    "Phantom",
    "Quality",
    "Regrown",
    "Result",
    "RunOptions",
    "Step",
    "StressTest",
    "TrainingError",
    "__version__",
    "chamber_volumes",
    "check_model",
    "list_models",
    "load_model",
    "make_phantom",
    "measure",
    "read_image",
    "read_sequence",
    "regrow",
    "regrow_steps",
    "segment",
    "segment_sequence_steps",
    "segment_steps",
    "stress_test",
    "stress_test_steps",
    "write_segmentation",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
