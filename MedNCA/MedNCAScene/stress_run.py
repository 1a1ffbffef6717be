"""A stress test from a volume node to its table and its worst case in the scene."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import slicer

import MedNCALib as mednca
from MedNCALib.segmentation.options import Find

from .application.settings import modelsFolder
from .inputs.region import regionInVolume
from .inputs.volumes import checkUnchanged, imageFromVolume
from .results.found_boxes import findingInBoxes
from .results.overlay_volumes import writeWorstCase
from .results.roll_back import allOrNothing
from .results.stress_table import writeStressTable
from .segmentation_run import logNotes


@dataclass(frozen=True)
class SceneStressTest:
    """What a stress test has found, and the nodes that it has written.

    Attributes:
        test: the changes.
        tableNode: a row for each perturbation.
        worstNode: a volume with the difference that the worst perturbation makes.
    """

    test: mednca.StressTest
    tableNode: slicer.vtkMRMLTableNode
    worstNode: slicer.vtkMRMLScalarVolumeNode


def stressTestSteps(
    volumeNode: slicer.vtkMRMLScalarVolumeNode,
    model: str = "",
    region: slicer.vtkMRMLMarkupsROINode | None = None,
    largestOnly: bool = False,
    allCells: bool = False,
    find: Find = "auto",
    found: Sequence[slicer.vtkMRMLMarkupsROINode] | None = None,
    **options: Any,
) -> Generator[mednca.Step, None, SceneStressTest]:
    """Test, step by step, how much the segmentation of a volume node depends on perturbations.

    The scene changes only after the last step.

    Args:
        volumeNode, model, region, largestOnly, allCells, find, found: see `MedNCALogic.stressTestSteps`.
        options: those of `MedNCALib.RunOptions`: runs, seed, engine, threads, protocol.

    Yields:
        The steps of the run.

    Returns:
        What it has found and written.

    Raises:
        MedNCAError: the input or an option cannot be used; the scene is as it was, as after any other error.
    """
    image = imageFromVolume(volumeNode)
    loaded = mednca.load_model(model, modelsFolder())
    box = regionInVolume(region, volumeNode)
    logNotes(image, loaded, box, find)
    test = yield from mednca.stress_test_steps(
        image,
        loaded,
        region=box,
        largest_only=largestOnly,
        all_cells=allCells,
        find=find,
        found=findingInBoxes(found, volumeNode) if found else None,
        **options,
    )
    checkUnchanged(volumeNode, image)
    with allOrNothing(loaded, volumeNode, None):
        worstNode = writeWorstCase(test, loaded, volumeNode)
        tableNode = writeStressTable(test, loaded, volumeNode)
    return SceneStressTest(test, tableNode, worstNode)
