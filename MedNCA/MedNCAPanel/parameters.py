"""What the parameters ask of a run."""

import slicer
from MedNCAScene.results.overlay_volumes import canBeInput
from MedNCAScene.results.segments import INPUT_ROLE
from MedNCAScene.sequence_run import frameCount


def runOptions(parameters) -> dict:
    """Arguments of `MedNCALogic.processSteps` besides the volume and the segmentation."""
    options = {
        "model": parameters.model,
        "region": parameters.region,
        "runs": parameters.runs,
        "seed": parameters.seed,
        "engine": parameters.engine,
        "threads": parameters.threads or None,
        "table": True,
        "largest_only": parameters.largestOnly,
    }
    if parameters.allFrames and frameCount(parameters.inputVolume) > 1:
        return {**options, "allFrames": True}
    return {
        **options,
        "probability": parameters.probability,
        # The tick may be left from a time with more runs.
        "uncertainty": parameters.uncertainty and parameters.runs > 1,
        "showWhileRunning": parameters.showWhileRunning,
        "keepGrowth": parameters.growthView if parameters.keepGrowth else None,
        "growthMegabytes": parameters.growthMegabytes,
    }


def chooseInput(parameters) -> None:
    """Choose the first image of the scene if no volume is chosen."""
    if parameters.inputVolume is None:
        volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        parameters.inputVolume = next(filter(canBeInput, volumes), None)


def restoreDefaults(parameters) -> None:
    """Give all parameters their defaults, but for the chosen nodes and the model."""
    made = {"outputSegmentation", "growthVolume", "growthBrowser", "qualityTable", "inspectedPoint"}
    for name in type(parameters).allParameters:
        if name not in {"inputVolume", "model", "region"} | made:
            setattr(parameters, name, parameters.default(name).value)


def adoptOutcome(parameters, outcome) -> None:
    """Choose what a run has made, so that the panel shows it and the next run replaces it."""
    parameters.outputSegmentation = outcome.segmentationNode
    parameters.qualityTable = outcome.tableNode
    if outcome.growthNode:
        parameters.growthVolume = outcome.growthNode
        parameters.growthBrowser = outcome.growthBrowserNode


def forgetOutputOfOther(parameters, shownInputId):
    """With another input volume the output is a new segmentation again, not the one of the volume before.

    What was said of the volume before, its quality and growth, is not shown any more either.

    :param shownInputId: of the volume before, None if there was none; returns that of the volume now.
    """
    inputId = parameters.inputVolume.GetID() if parameters.inputVolume else None
    if shownInputId in (None, inputId):
        return inputId
    output = parameters.outputSegmentation
    if output and output.GetNodeReferenceID(output.GetReferenceImageGeometryReferenceRole()) != inputId:
        parameters.outputSegmentation = None
    for name in ("qualityTable", "growthVolume", "growthBrowser"):
        node = getattr(parameters, name)
        if node and node.GetNodeReferenceID(INPUT_ROLE) != inputId:
            setattr(parameters, name, None)
    return inputId
