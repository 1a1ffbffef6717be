"""Does a volume fit a model?"""

from __future__ import annotations

from typing import Any

import slicer

import MedNCALib as mednca
from MedNCALib.segmentation.input_checks import check_input, fitting_models
from MedNCALib.segmentation.options import Find

from .geometry import ijkToRasOfVolume
from .region import regionInVolume
from .volumes import imageFromVolume


class InputCheck:
    """What speaks against segmenting a volume with a model; found anew when one of them or the region changes.

    New voxels in the same place do not count as a change: a sequence may be played in the volume.

    Attributes:
        warnings: sentences for the user, the surest first. A volume or a region that cannot be used gives none: the run
            says why.
        needsRegion: whether all that is wrong is that the volume is too large without a region, for a model that does
            not find the anatomy by itself.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.needsRegion = False
        self._key: Any = None

    def update(
        self,
        volumeNode: slicer.vtkMRMLScalarVolumeNode | None,
        model: mednca.Model | None,
        region: slicer.vtkMRMLMarkupsROINode | None,
        find: Find,
    ) -> None:
        """Check a volume for a model; without one of them there is nothing to warn of."""
        if volumeNode is None or model is None or volumeNode.GetImageData() is None:
            self.warnings, self.needsRegion, self._key = [], False, None
            return
        grid = volumeNode.GetImageData().GetDimensions(), ijkToRasOfVolume(volumeNode).tolist()
        key = volumeNode, grid, model.folder, model.sha256, region.GetMTime() if region else None, find
        if self._key != key:
            self._key = key
            self.warnings, self.needsRegion = _check(volumeNode, model, region, find)


def _check(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    model: mednca.Model,
    region: slicer.vtkMRMLMarkupsROINode | None,
    find: Find,
) -> tuple[list[str], bool]:
    try:
        image = imageFromVolume(volumeNode)
        warnings = check_input(image, model, regionInVolume(region, volumeNode), find)
        return warnings, bool(warnings) and region is None and bool(fitting_models(image, [model]))
    except mednca.MedNCAError:
        return [], False
