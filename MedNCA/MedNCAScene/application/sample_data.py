"""The synthetic samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer

if TYPE_CHECKING:
    import SimpleITK as sitk

PHANTOM_NAME = "MedNCA synthetic phantom"
HEAD_NAME = "MedNCA synthetic head"

_ICON = Path(__file__).resolve().parents[2] / "Resources" / "Icons" / "MedNCA.png"


def registerSampleData() -> None:
    """Offer the synthetic samples in the module Sample Data. They are made on the spot: nothing is downloaded."""
    import SampleData

    # The button calls the downloader; SampleData.downloadSample by name ignores it.
    for name, load in ((PHANTOM_NAME, loadPhantom), (HEAD_NAME, loadHead)):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category="MedNCA",
            sampleName=name,
            thumbnailFileName=str(_ICON),
            uris="",
            customDownloader=lambda source, load=load: load(),
        )


def loadPhantom(**parameters: Any) -> slicer.vtkMRMLScalarVolumeNode:
    """Add the synthetic block of the medial temporal lobe as a volume node and show it in the slice views.

    Args:
        parameters: as for `MedNCALib.make_phantom`.
    """
    # Not at file scope, since the sample is offered whenever the application starts.
    from MedNCALib import make_phantom

    return _load(make_phantom(**parameters).image, PHANTOM_NAME)


def loadHead(**parameters: Any) -> slicer.vtkMRMLScalarVolumeNode:
    """Add the synthetic whole head as a volume node and show it in the slice views.

    Args:
        parameters: as for `MedNCALib.imaging.phantom_head.make_head`.
    """
    from MedNCALib.imaging.phantom_head import make_head

    return _load(make_head(**parameters).image, HEAD_NAME)


def _load(image: sitk.Image, name: str) -> slicer.vtkMRMLScalarVolumeNode:
    from ..inputs.volumes import volumeFromImage

    volumeNode = volumeFromImage(image, slicer.mrmlScene.GenerateUniqueName(name))
    slicer.util.setSliceViewerLayers(background=volumeNode, fit=True)
    return volumeNode
