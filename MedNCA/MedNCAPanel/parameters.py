"""What follows from the parameters: the arguments of a run, the output of another volume, the defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from MedNCAScene.derived_nodes import inputOf, modelOf
from MedNCAScene.inputs.sequence import frameCount
from MedNCAScene.inputs.volumes import firstInput
from MedNCAScene.results.found_boxes import boxesOf
from MedNCAScene.results.segments import segmentedVolume
from MedNCAScene.segmentation_run import SceneResult

# The module's `MedNCAParameterNode`, which Slicer's wrapper makes without types. Sections get a function that returns
# it; it returns None while there is none, as while a scene is closed.
Parameters = Any
GetParameters = Callable[[], Parameters]

# The parameters that a run gives: nodes that it has made.
_RESULTS = frozenset({"outputSegmentation", "growthVolume", "growthBrowser", "qualityTable", "inspectedPoint"})
_CHOICES = frozenset({"inputVolume", "model", "region"})


def runArguments(parameters: Parameters) -> dict[str, Any]:
    """Arguments of `MedNCALogic.processSteps` besides the volume and the segmentation."""
    arguments = {**stressArguments(parameters), "table": True}
    if parameters.allFrames and frameCount(parameters.inputVolume) > 1:
        del arguments["found"]  # boxes of one frame
        return {**arguments, "allFrames": True}
    return {
        **arguments,
        "probability": parameters.probability,
        # The box may still be ticked from a time with more runs.
        "uncertainty": parameters.uncertainty and parameters.runs > 1,
        "showWhileRunning": parameters.showWhileRunning,
        "keepGrowth": parameters.growthView if parameters.keepGrowth else None,
        "growthMegabytes": parameters.growthMegabytes,
    }


def stressArguments(parameters: Parameters) -> dict[str, Any]:
    """Arguments of `MedNCALogic.stressTestSteps` besides the volume."""
    return {
        "model": parameters.model,
        "region": parameters.region,
        "runs": parameters.runs,
        "seed": parameters.seed,
        "engine": parameters.engine,
        "threads": parameters.threads or None,
        "largestOnly": parameters.largestOnly,
        "allCells": parameters.allCells,
        "protocol": parameters.protocol,
        "find": parameters.find,
        "found": _boxes(parameters),
    }


def _boxes(parameters: Parameters) -> list[Any] | None:
    """The boxes that are shown, in which the user wants to have the anatomy; a region and Never go before them."""
    if parameters.region is not None or parameters.find == "never":
        return None
    return boxesOf(parameters.model, parameters.inputVolume) or None


def chooseInput(parameters: Parameters) -> None:
    """Choose the first image of the scene if no volume is chosen, or one that a model has made.

    When a volume is deleted, Slicer's selector chooses none, or the one above it, whatever that is.
    """
    if parameters.inputVolume is None or modelOf(parameters.inputVolume) is not None:
        parameters.inputVolume = firstInput()


def restoreDefaults(parameters: Parameters) -> None:
    """Give all parameters their defaults, but for the chosen nodes and the model."""
    for name in type(parameters).allParameters:
        if name not in _CHOICES | _RESULTS:
            setattr(parameters, name, parameters.default(name).value)


def adoptResult(parameters: Parameters, result: SceneResult) -> None:
    """Choose what a run has made, so that the panel shows it and the next run replaces it."""
    if result.volumeNode:
        parameters.inputVolume = result.volumeNode
    parameters.outputSegmentation = result.segmentationNode
    parameters.qualityTable = result.tableNode
    if result.growthNode:
        parameters.growthVolume = result.growthNode
        parameters.growthBrowser = result.growthBrowserNode


def forgetOutputOfOther(parameters: Parameters, shownInputId: str | None) -> str | None:
    """With another input volume, do not show the results of the volume before: the output is a new segmentation again.

    Args:
        parameters: the parameters.
        shownInputId: identifier of the volume before, None if there was none.

    Returns:
        That of the volume now.
    """
    volumeNode = parameters.inputVolume
    inputId = volumeNode.GetID() if volumeNode else None
    if shownInputId in (None, inputId):
        return inputId
    output = parameters.outputSegmentation
    if output and segmentedVolume(output) is not volumeNode:
        parameters.outputSegmentation = None
    for name in ("qualityTable", "growthVolume", "growthBrowser"):
        node = getattr(parameters, name)
        if node and inputOf(node) is not volumeNode:
            setattr(parameters, name, None)
    return inputId
