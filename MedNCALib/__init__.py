"""MedNCA: segmentation of medical volumes with Neural Cellular Automata.

    import MedNCALib as mednca

    model = mednca.load_model("hippocampus-mr")
    result = mednca.segment(image, model)  # SimpleITK.Image in; result.labels has the same geometry

The engine needs numpy and SimpleITK, nothing else. Names are imported when they are first used, so that importing the
package costs nothing.
"""

from __future__ import annotations

from importlib import import_module

_HOMES = {
    "MedNCAError": "errors",
    "ImageError": "errors",
    "ModelError": "errors",
    "TrainingError": "errors",
    "Label": "imaging.labels",
    "Model": "model.model",
    "load_model": "model.model",
    "list_models": "model.model",
    "check_model": "model.model",
    "segment": "segmentation.segmenter",
    "segment_steps": "segmentation.segmenter",
    "RunOptions": "segmentation.options",
    "Step": "segmentation.steps",
    "Result": "segmentation.steps",
    "Quality": "segmentation.quality",
    "make_phantom": "imaging.phantom",
    "Phantom": "imaging.phantom",
    "read_image": "io.images",
    "write_segmentation": "io.segmentation_file",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
