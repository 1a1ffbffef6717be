"""A run from a volume node to what it leaves in the scene."""

from dataclasses import dataclass
from typing import Any

import MedNCALib as mednca

from .application.settings import modelsFolder
from .display.live_overlay import LiveOverlay
from .inputs import volumes
from .inputs.region import regionInVolume
from .results import overlay_volumes, quality_table, segments
from .results.growth_sequence import DEFAULT_MEGABYTES, Growth


@dataclass(frozen=True)
class SceneResult:
    """What a run that ended well has made; see the arguments of `processSteps`.

    Attributes:
        segmentationNode: the segments.
        quality: the engine's scores.
        probabilityNodes: a volume per label, none if not asked for.
        uncertaintyNode: a volume, or None.
        growthNode: the volume that shows the kept steps, or None.
        growthBrowserNode: plays them in that volume; None where nothing is to be played.
        tableNode: each label's volume and agreement, or None.
    """

    segmentationNode: Any
    quality: mednca.Quality
    probabilityNodes: tuple = ()
    uncertaintyNode: Any = None
    growthNode: Any = None
    growthBrowserNode: Any = None
    tableNode: Any = None


def processSteps(
    volumeNode,
    segmentationNode=None,
    model="",
    region=None,
    probability=False,
    uncertainty=False,
    showWhileRunning=False,
    keepGrowth=None,
    growthMegabytes=DEFAULT_MEGABYTES,
    table=False,
    **options,
):
    """Segment a volume node step by step: a generator that yields the engine's steps and returns an `SceneResult`.

    The scene changes only after the last step, but for the living picture, which is taken away in any case.

    :param volumeNode, segmentationNode, model, region: see `MedNCALogic.processSteps`.
    :param probability, uncertainty, showWhileRunning, keepGrowth, growthMegabytes, table: likewise.
    :param options: those of `MedNCALib.segment_steps`: runs, seed, engine, threads,
      largest_only.
    :raises MedNCAError: the input or an option cannot be used; the scene is as it was.
    """
    segments.checkTarget(segmentationNode)
    image = volumes.imageFromVolume(volumeNode)
    box = regionInVolume(region, volumeNode) if region else None
    loaded = mednca.load_model(model, modelsFolder())
    steps = mednca.segment_steps(
        image, loaded, region=box, probabilities=probability, uncertainty=uncertainty, **options
    )
    growth = Growth(loaded, keepGrowth, growthMegabytes) if keepGrowth else None
    if growth:
        steps = growth.follow(steps)
    if showWhileRunning:
        steps = LiveOverlay(volumeNode, loaded).follow(steps)
    result = yield from steps
    volumes.checkUnchanged(volumeNode, image)
    segmentationNode = segments.writeSegments(result.labels, loaded, volumeNode, segmentationNode)
    return SceneResult(
        segmentationNode,
        result.quality,
        tuple(overlay_volumes.writeProbabilities(result.probabilities, loaded, volumeNode)) if probability else (),
        overlay_volumes.writeUncertainty(result.uncertainty, loaded, volumeNode) if uncertainty else None,
        *(growth.write(volumeNode) if growth else (None, None)),
        quality_table.writeQuality(result.quality, loaded, volumeNode) if table else None,
    )
