"""The synthetic sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

PHANTOM_NAME = "MedNCA synthetic phantom"

_ICON = Path(__file__).resolve().parents[2] / "Resources" / "Icons" / "MedNCA.png"


def registerSampleData() -> None:
    """Offer the synthetic phantom in the module Sample Data. It is made on the spot: nothing is downloaded."""
    import SampleData

    # The button calls the downloader; SampleData.downloadSample by name ignores it.
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="MedNCA",
        sampleName=PHANTOM_NAME,
        thumbnailFileName=str(_ICON),
        uris="",
        customDownloader=lambda source: loadPhantom(),
    )


def loadPhantom(**parameters: Any) -> slicer.vtkMRMLScalarVolumeNode:
    """Add the synthetic block of the medial temporal lobe as a volume node and show it in the slice views.

    Args:
        parameters: as for `MedNCALib.make_phantom`.
    """
    # Not at file scope, since the sample is offered whenever the application starts.
    from MedNCALib import make_phantom

    from ..inputs.volumes import volumeFromImage

    volumeNode = volumeFromImage(make_phantom(**parameters).image, slicer.mrmlScene.GenerateUniqueName(PHANTOM_NAME))
    slicer.util.setSliceViewerLayers(background=volumeNode, fit=True)
    return volumeNode
