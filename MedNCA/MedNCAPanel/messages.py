"""Sentences of the panel that the code chooses; fixed texts are in MedNCA.ui."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from MedNCAScene.many_run import ManyStep
from MedNCAScene.regrow_run import SceneRegrown
from MedNCAScene.results.growth_sequence import Estimate
from MedNCAScene.results.quality_table import Verdict
from MedNCAScene.results.stress_table import StressSummary, perturbationName
from slicer.i18n import tr as _

import MedNCALib as mednca
from MedNCALib.evaluation.stress_test import StressStep
from MedNCALib.measurement.cardiac import Beat
from MedNCALib.measurement.cardiac import Estimate as CardiacEstimate
from MedNCALib.model.card import Protocol

# Volumes in the application's own Sample Data that suit a model.
SAMPLES = {"hippocampus-mr": "MRHead", "prostate-mr-t2": "MRUSProstate"}


#
# Input
#


def modelLine(model: mednca.Model) -> str:
    """A model's labels, the images that it expects, its score on data that it was not trained on, size and licence."""
    card = model.card
    expects = [card.modality, card.anatomy]
    if card.field_of_view_mm is not None:
        size = _millimetres(card.field_of_view_mm)
        expects.append(size if model.finder is None else _("{size}, or more: it finds the place").format(size=size))
    return _(
        "Finds: {labels}.\nExpects: {expects}.\nHeld-out Dice: {dice}. Size: {kilobytes} KB. Licence: {licence}."
    ).format(
        labels=", ".join(label.name for label in model.labels),
        expects="; ".join(expects),
        dice=_("not measured") if card.scores is None else f"{card.scores.whole:.3f}",
        kilobytes=max(1, round(model.size_bytes / 1000)),
        licence=card.licence,
    )


def modelMissing(name: str) -> str:
    """The model of a scene that is not on this computer."""
    return _("The model {name} is not installed: choose another.").format(name=name)


def sampleTip(modelName: str) -> str:
    """The tooltip of Try it, with the volume of the application's own that suits the model."""
    tip = _("Load a synthetic volume that is made on the spot: nothing is downloaded.")
    if modelName in SAMPLES:
        tip += _(" A real one is {name} in the module Sample Data.").format(name=SAMPLES[modelName])
    return tip


def licenceQuestion(note: str) -> str:
    """Whether the user accepts a licence.

    Args:
        note: says which licence restricts the use of which model.
    """
    return _("{note}\nDo you accept this licence? A yes is remembered on this computer.").format(note=note)


def licenceDeclined(modelName: str) -> str:
    """The user did not accept a licence."""
    return _("Not started: the licence of {name} was not accepted. Choose another model.").format(name=modelName)


def _millimetres(size: Sequence[float]) -> str:
    return _("{size} mm").format(size=" x ".join(f"{length:g}" for length in size))


#
# A run
#


def segmentButtonText(isRunning: bool) -> str:
    """The text of Segment, which cancels during a run."""
    return _("&Cancel") if isRunning else _("&Segment")


def segmentTip(isRunning: bool, missing: Sequence[str]) -> str:
    """The tooltip of Segment: what a click does, or what has to be chosen before.

    Args:
        isRunning: whether a run is on.
        missing: see `missingInputs`.
    """
    if isRunning:
        return _("Stop, and leave everything as it was")
    if missing:
        return _("Still missing: {what}").format(what=", ".join(missing))
    return _("Segment the volume")


def missingInputs(hasVolume: bool, hasModel: bool) -> list[str]:
    """What still has to be chosen before a run can start."""
    missing = []
    if not hasVolume:
        missing.append(_("an input volume"))
    if not hasModel:
        missing.append(_("a model"))
    return missing


def preparing() -> str:
    """A run before its first step."""
    return _("Preparing the volume")


def progressLine(step: mednca.Step | StressStep | ManyStep, secondsLeft: float | None = None) -> str:
    """How far a run is, for example "Left side, fine stage, step 7 of 12, slices 9-16 of 35, 4 s left".

    Args:
        step: the latest step.
        secondsLeft: None while it is unknown.
    """
    if isinstance(step, StressStep):
        return _stressLine(step, secondsLeft)
    if isinstance(step, ManyStep):
        return _manyLine(step, secondsLeft)
    parts = []
    if step.is_finding:
        parts.append(_("finding the anatomy"))
    elif step.structure is not None and step.structure.side is not None:
        parts.append(_("left side") if step.structure.side == "left" else _("right side"))
    if step.run == 0:
        parts.append(_("choosing the protocol"))
    elif step.runs > 1:
        parts.append(_("run {run} of {runs}").format(run=step.run, runs=step.runs))
    parts.append(_stage(step.stage, step.stages))
    parts.append(_("step {step} of {steps}").format(step=step.step, steps=step.steps))
    first, stop, total = step.slices
    parts.append(_("slices {first}-{last} of {total}").format(first=first + 1, last=stop, total=total))
    if secondsLeft is not None:
        parts.append(_("{duration} left").format(duration=duration(secondsLeft)))
    line = ", ".join(parts)
    return line[0].upper() + line[1:]


def _stressLine(step: StressStep, secondsLeft: float | None) -> str:
    name = perturbationName(step.perturbation) if step.perturbation else _("As it is")
    line = _("Stress test, segmentation {number} of {count}: {perturbation}").format(
        number=step.segmentation, count=step.segmentations, perturbation=name
    )
    return (
        line if secondsLeft is None else _("{line}, {duration} left").format(line=line, duration=duration(secondsLeft))
    )


def _stage(stage: int, stages: int) -> str:
    if stages in (2, 3):
        return {1: _("coarse stage"), stages: _("fine stage")}.get(stage) or _("middle stage")
    return _("stage {stage} of {stages}").format(stage=stage, stages=stages)


def duration(seconds: float) -> str:
    """For example "4 s" or "2 min 10 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes:
        return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
    return _("{seconds} s").format(seconds=rest)


def doneLine(volumes: Mapping[str, float], seconds: float, brainMl: float | None = None) -> str:
    """The result in one line.

    For example "Done in 3.8 s: anterior hippocampus 1.71 mL, posterior hippocampus 1.63 mL."

    Args:
        volumes: segment name -> volume in mL.
        seconds: duration of the run.
        brainMl: volume of the brain, None if it is not known.
    """
    found = [
        _("{name} {volume:.2f} mL").format(name=name, volume=volume) if volume else _("no {name}").format(name=name)
        for name, volume in volumes.items()
    ]
    if brainMl is not None:
        found.append(_("brain {volume:.0f} mL").format(volume=brainMl))
    return _("Done in {duration}: {found}.").format(duration=_took(seconds), found=", ".join(found))


def stressDoneLine(seconds: float) -> str:
    """The end of a stress test; what it found is said elsewhere."""
    return _("The stress test is done, in {duration}.").format(duration=_took(seconds))


def _took(seconds: float) -> str:
    return _("{seconds:.1f} s").format(seconds=seconds) if seconds < 10 else duration(seconds)


def cancelled() -> str:
    """A run that the user has cancelled."""
    return _("Cancelled; nothing was changed.")


def cancelledByDeletion(names: Iterable[str]) -> str:
    """A run that was cancelled because nodes of it were deleted."""
    return _("Cancelled: {name} was deleted.").format(name=", ".join(names))


def defect(error: Exception) -> str:
    """A run that failed with an error that the user can do nothing about."""
    return _("The run failed because of a defect in MedNCA: {error}").format(error=error)


def notShownIn3D() -> str:
    """The surfaces could not be made."""
    return _("The segments could not be shown in 3D.")


#
# Corrections
#


def regrowButtonText(isRunning: bool) -> str:
    """The text of Regrow in the Segment Editor, which cancels during a run."""
    return _("Cancel") if isRunning else _("Regrow")


def regrowTip(isRunning: bool, reason: str) -> str:
    """The tooltip of Regrow: what a click does, or why it cannot be clicked.

    Args:
        isRunning: whether the click cancels.
        reason: why not, empty if it can be clicked.
    """
    if isRunning:
        return _("Stop, and leave everything as it was")
    return reason or _(
        "Keep what was corrected, and let the cells around it grow again, in these slices and those beside them (key"
        " N)."
    )


def forgetTip(reason: str) -> str:
    """The tooltip of Forget corrections; see `regrowTip`."""
    return reason or _("Show the model's own result again, as it was before all corrections.")


def undoRegrowTip(canUndo: bool) -> str:
    """The tooltip of Undo."""
    if canUndo:
        return _("Bring back what was before the latest regrowing.")
    return _("There is no regrowing to undo, or the segments were edited since: the Segment Editor takes edits back.")


def regrownLine(outcome: SceneRegrown, seconds: float) -> str:
    """What came of a regrowing, in a line."""
    name = outcome.segmentationNode.GetName()
    if outcome.isStart:
        return _("{name} as it is now is what corrections start from: correct it, and regrow.").format(name=name)
    return _("Regrown in {duration}. Voxels corrected: {said}; changed with them: {changed}.").format(
        duration=_took(seconds), said=outcome.said, changed=outcome.changed
    )


def forgotten() -> str:
    """The corrections are forgotten."""
    return _("The corrections are forgotten: this is the model's own result.")


def regrowUndone() -> str:
    """A regrowing is undone."""
    return _("The segments are as they were before.")


#
# What was found
#


def findName(find: str) -> str:
    """When a model's finder looks for the anatomy, for the list of choices."""
    return {
        "auto": _("If the volume is larger than expected"),
        "always": _("Always"),
        "never": _("Never"),
    }[find]


def foundTip(isFound: bool, areShown: bool) -> str:
    """The tooltip of Show where it looked."""
    if areShown:
        return _("Remove the boxes: the next run looks for the anatomy anew.")
    tip = _("Put a box at each place where the model has found the anatomy. Boxes that you move are used by Segment.")
    return tip if isFound else _("{tip} There is no result for which it had to look.").format(tip=tip)


def boxesShown() -> str:
    """The boxes are in the scene."""
    return _("These boxes are segmented: move them if they are wrong, and click Segment again.")


def boxesHidden() -> str:
    """The boxes are not in the scene any more."""
    return _("The boxes are removed: the next run looks for the anatomy anew.")


#
# Growth
#


def estimateLine(estimate: Estimate) -> str:
    """The memory that keeping the steps will take, for example "Keeps 12 of 32 steps: 241 MB"."""
    megabytes = _("{megabytes:.1f} MB") if estimate.megabytes < 10 else _("{megabytes:.0f} MB")
    if not estimate.isExact:
        megabytes = _("at least {megabytes}").format(megabytes=megabytes)
    line = _("Keeps all {steps} steps: {megabytes}.")
    if estimate.kept == 1:
        line = _("Keeps one volume: {megabytes}.")
    elif estimate.kept < estimate.steps:
        line = _("Keeps {kept} of {steps} steps: {megabytes}.")
    return line.format(
        kept=estimate.kept, steps=estimate.steps, megabytes=megabytes.format(megabytes=estimate.megabytes)
    )


def playButtonText(isPlaying: bool) -> str:
    """The text of Play, which pauses while the steps are played."""
    return _("P&ause") if isPlaying else _("Pl&ay")


def shownStepLine(step: str, last: str) -> str:
    """Which step the player shows."""
    return _("Step {step} of {last}").format(step=step, last=last)


def exportTitle() -> str:
    """The title of the dialog that asks for a file."""
    return _("Export the growth")


def exportFilter() -> str:
    """The kinds of files that it offers."""
    return _("Animated picture (*.gif);;Numbered pictures (*.png)")


def inspectButtonText(isPlacing: bool) -> str:
    """The text of Inspect a cell, which stops while a click is awaited."""
    return _("Click a cell in a slice view, or sto&p") if isPlacing else _("Ins&pect a cell")


def cellPlotted() -> str:
    """The history of a cell is shown."""
    return _("The plot shows the cell at the point. Drag the point to see another.")


#
# Quality
#


def uncertaintyTip(runs: int) -> str:
    """The tooltip of Uncertainty volume: what the uncertainty is or, as long as there is none, what it needs."""
    if runs < 2:
        return _("The uncertainty is the spread over several runs: set Runs to 2 or more.")
    return _("Add a volume with the spread of the probability over the runs: high values mean low confidence.")


def uncertaintyOverlayTip(hasUncertainty: bool) -> str:
    """The tooltip of Show uncertainty."""
    tip = _("Lay the uncertainty over the slice views in warm colours; the segments are outlines meanwhile.")
    return tip if hasUncertainty else f"{tip} {_neededForUncertainty()}"


def jumpTip(hasUncertainty: bool) -> str:
    """The tooltip of the button that moves the slice views."""
    tip = _("Move the slice views to the highest uncertainty.")
    return tip if hasUncertainty else f"{tip} {_neededForUncertainty()}"


def _neededForUncertainty() -> str:
    return _("Set Runs to 2 or more and tick Uncertainty volume for it.")


def noUncertainty() -> str:
    """There is nothing to move the slice views to."""
    return _("The runs agree everywhere: there is no uncertainty to jump to.")


def staleScores() -> str:
    """In place of the verdict while the scores are of an earlier run."""
    return _("The latest run gave no result. These scores are of an earlier one.")


def verdictLine(verdict: Verdict | None) -> str:
    """How far the result can be trusted, for whoever decides on it.

    Args:
        verdict: of the table with the scores, None before there is a result.
    """
    if verdict is None:
        return _("No result yet.")
    if verdict.protocol:
        protocol = _("The border is drawn by the protocol {name}.").format(name=verdict.protocol)
        return f"{_confidence(verdict)} {protocol}"
    return _confidence(verdict)


def _confidence(verdict: Verdict) -> str:
    if verdict.isCorrected:
        return _("Corrected by hand: the volumes are those of the corrected segments, and no score speaks of them.")
    if verdict.agreement is None:
        return _("Not checked: a single run gives no measure of confidence. Set Runs to 3 or more.")
    line = {
        "pass": _("The model is confident: its runs agree to {agreement}. Review as usual."),
        "review": _("Check this result slice by slice: the model is uncertain, its runs agree to only {agreement}."),
    }.get(verdict.verdict or "") or _("The runs agree to {agreement}. No calibrated thresholds for this model.")
    return line.format(agreement=_("{percent:.1f} %").format(percent=100 * verdict.agreement))


#
# Stress test
#


def stressTip(missing: Sequence[str]) -> str:
    """The tooltip of Stress test.

    Args:
        missing: see `missingInputs`.
    """
    if missing:
        return segmentTip(False, missing)
    return _(
        "Segment the volume, or its region, again with noise, bias field, ghosts, another scale, place and seed, and"
        " see how much the result changes. It takes about eleven times as long as Segment."
    )


def worstCaseTip(summary: StressSummary | None) -> str:
    """The tooltip of Show worst case."""
    tip = _(
        "Lay what the worst perturbation changes over the slice views, and move them there; the segments are outlines"
        " meanwhile."
    )
    if summary is None:
        return _("{tip} Click Stress test for it.").format(tip=tip)
    return _("{tip} The worst is: {perturbation}.").format(tip=tip, perturbation=perturbationName(summary.worst))


def stressLine(summary: StressSummary | None) -> str:
    """How much the result depends on perturbations, in a sentence.

    Args:
        summary: None before there is a stress test.
    """
    if summary is None:
        return _("No stress test of this volume with this model yet.")
    if summary.verdict == "empty":
        return _("Nothing was found, with or without the perturbations.")
    worst = {"dice": f"{summary.dice:.3f}", "perturbation": perturbationName(summary.worst)}
    if summary.verdict == "stable":
        return _(
            "The result is stable: the lowest Dice is {dice} ({perturbation}), and the volume changes by at most"
            " {percent} %."
        ).format(**worst, percent=f"{summary.volumePercent:.1f}")
    kinds = [_kindName(kind) for kind in summary.kinds]
    listed = kinds[0] if len(kinds) == 1 else _("{some} and {last}").format(some=", ".join(kinds[:-1]), last=kinds[-1])
    return _(
        "The result depends on {kinds}: the lowest Dice is {dice} ({perturbation}). Check it slice by slice."
    ).format(kinds=listed, **worst)


def _kindName(kind: str) -> str:
    return {
        "noise": _("noise"),
        "bias field": _("bias field"),
        "ghosting": _("ghosts"),
        "scale": _("scale"),
        "shift": _("shift"),
        "seed": _("seed"),
    }.get(kind, kind)


#
# Heart
#


def beatLine(beat: Beat) -> str:
    """The figures of a beat, and what makes them doubtful."""
    figures = [
        _("End-diastole {volume} mL (frame {frame})").format(volume=_figure(beat.edv), frame=beat.ed_frame + 1),
        _("end-systole {volume} mL (frame {frame})").format(volume=_figure(beat.esv), frame=beat.es_frame + 1),
        _("stroke volume {volume} mL").format(volume=_figure(beat.stroke_volume)),
    ]
    if beat.ejection_fraction is not None:
        figures.append(_("ejection fraction {percent} %").format(percent=_figure(beat.ejection_fraction)))
    if beat.heart_rate is not None and beat.cardiac_output is not None:
        figures.append(
            _("{rate} beats and {litres} L a minute").format(
                rate=f"{beat.heart_rate:.0f}", litres=_figure(beat.cardiac_output)
            )
        )
    return " ".join([f"{', '.join(figures)}.", *beat.warnings])


def _figure(estimate: CardiacEstimate) -> str:
    spread = "" if estimate.sd is None else f" \u00b1 {estimate.sd:.1f}"
    return f"{estimate.value:.1f}{spread}"


#
# Many volumes
#


def allOfTheScene(count: int) -> str:
    """The choice of all volumes."""
    return _("All of the scene ({count})").format(count=count)


def folderOfTheScene(name: str, count: int) -> str:
    """The choice of a folder of the subject hierarchy."""
    return _("{folder} ({count})").format(folder=name, count=count)


def folderOnDisk() -> str:
    """The choice of files that are not in the scene."""
    return _("A folder on disk")


def noFolder() -> str:
    """A run over a folder that was not chosen."""
    return _("Choose the folder with the volumes first.")


def _manyLine(step: ManyStep, secondsLeft: float | None) -> str:
    line = _("Volume {number} of {count}: {name}").format(number=step.number, count=step.count, name=step.name)
    return (
        line if secondsLeft is None else _("{line}, {duration} left").format(line=line, duration=duration(secondsLeft))
    )


def manyCancelled() -> str:
    """A run over many volumes that the user has cancelled."""
    return _("Cancelled; the volumes that were finished keep their segmentations.")


def manyDoneLine(done: int, failed: int, seconds: float) -> str:
    """The end of a run over many volumes."""
    line = _("{done} volumes done in {duration}.").format(done=done, duration=_took(seconds))
    return line if not failed else _("{line} {failed} failed: see the table.").format(line=line, failed=failed)


def caseShown(name: str, error: str) -> str:
    """A volume of the table is shown in the views."""
    return error or _("The slice views show {name}.").format(name=name)


#
# Advanced
#


def asTheImageLooks() -> str:
    """The choice of a protocol that leaves it to the cells."""
    return _("As the image looks")


def protocolTip(protocol: Protocol | None) -> str:
    """The tooltip of a protocol.

    Args:
        protocol: None if the cells decide.
    """
    if protocol is None:
        return _("Draw the border of the protocol whose images this one looks like.")
    return protocol.description


def defaultsRestored() -> str:
    """The defaults are back."""
    return _("The defaults are restored.")
