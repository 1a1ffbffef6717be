"""Does a volume fit a model?"""

from __future__ import annotations

from typing import Any

import slicer

import MedNCALib as mednca
from MedNCALib.segmentation.input_checks import check_input

from .geometry import ijkToRasOfVolume
from .region import regionInVolume
from .volumes import imageFromVolume


class InputWarnings:
    """Sentences on what speaks against segmenting a volume with a model; made anew when one of them changes.

    New voxels in the same place do not count as a change: a sequence may be played in the volume.
    """

    def __init__(self) -> None:
        self._key: Any = None
        self._warnings: list[str] = []

    def of(
        self,
        volumeNode: slicer.vtkMRMLScalarVolumeNode | None,
        model: mednca.Model | None,
        region: slicer.vtkMRMLMarkupsROINode | None = None,
    ) -> list[str]:
        """The sentences for the user, the surest first.

        A volume or a region that cannot be used gives none: the run says why.
        """
        if volumeNode is None or model is None or volumeNode.GetImageData() is None:
            return []
        grid = volumeNode.GetImageData().GetDimensions(), ijkToRasOfVolume(volumeNode).tolist()
        key = volumeNode, grid, model.folder, model.sha256, region.GetMTime() if region else None
        if self._key != key:
            self._key, self._warnings = key, _inputWarnings(volumeNode, model, region)
        return self._warnings


def _inputWarnings(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    model: mednca.Model,
    region: slicer.vtkMRMLMarkupsROINode | None,
) -> list[str]:
    try:
        return check_input(imageFromVolume(volumeNode), model, regionInVolume(region, volumeNode))
    except mednca.MedNCAError:
        return []
