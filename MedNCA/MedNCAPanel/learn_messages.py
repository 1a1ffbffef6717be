"""Sentences of the section Learn that the code chooses; fixed texts are in Learn.ui."""

from __future__ import annotations

from collections.abc import Sequence

from MedNCAScene.learning.case_checks import Finding
from MedNCAScene.learning.history import TrainingStep
from MedNCAScene.training_run import TrainedModel
from slicer.i18n import tr as _

import MedNCALib as mednca

from .messages import duration

#
# Cases
#


def sourceNames() -> dict[str, str]:
    """What there is to learn from, by the choice's data."""
    return {
        "scene": _("Segmentations of the scene"),
        "corrections": _("My corrections of MedNCA's results"),
        "folders": _("Files of two folders"),
    }


def caseColumns() -> list[str]:
    """The titles of the table of cases."""
    return [_("Segmentation"), _("Drawn on")]


def segmentColumns() -> list[str]:
    """The titles of the table of segments."""
    return [_("Segment"), _("Learned as"), _("Cases")]


def noVolume() -> str:
    """The choice of a volume that has not been made."""
    return _("Choose a volume")


def shareOf(count: int, every: int) -> str:
    """In how many of the cases a segment is."""
    return _("{count} of {all}").format(count=count, all=every)


def noCorrections() -> str:
    """There is nothing that MedNCA has made and the user has edited."""
    return _(
        "No result of MedNCA has been edited yet: segment a volume, correct it in the Segment Editor, and it is"
        " offered here."
    )


def checksText(findings: Sequence[Finding]) -> str:
    """What the checks have found, a line each."""
    return "\n".join(f"\u2022 {finding.text}" for finding in findings) or _("The cases can be learned from.")


#
# What to start from
#


def nothing() -> str:
    """The choice to start from no model."""
    return _("Nothing: a new model")


def adapt(model: mednca.Model) -> str:
    """The choice to start from a model."""
    return _("Adapt: {model}").format(model=model.title)


def expectation(minutes: int, cases: int, adapts: bool) -> str:
    """What a training of some minutes may come to, as far as that can be said beforehand."""
    if adapts:
        line = _("The end compares the new model with the one that it starts from.")
    elif minutes < 5:
        line = _("A few minutes show whether it works.")
    else:
        line = _("More minutes help as long as the Dice in the plot still rises.")
    if cases < 3:
        line += " " + _("With so few cases the Dice says little of other ones.")
    return line


def automatic() -> str:
    """The choice that follows from the data."""
    return _("As the cases suggest")


def sliceNames() -> dict[str, str]:
    """The directions of slices, by the axes of a preset."""
    return {"LPS": _("Axial"), "LIP": _("Coronal"), "PIL": _("Sagittal")}


def sideNames() -> dict[bool, str]:
    """Whether mirrored images are right ones, too."""
    return {True: _("Alike: learn from mirrored images, too"), False: _("Differ: never mirror an image")}


#
# The training
#


def startText(isRunning: bool) -> str:
    """The text of Start, which stops a training."""
    return _("Stop and keep the best") if isRunning else _("Start training")


def startTip(isRunning: bool, missing: str) -> str:
    """The tooltip of Start."""
    if isRunning:
        return _("End the training and keep the best model so far; Continue goes on later")
    return missing or _("Train a new model with these cases")


def nameMissing() -> str:
    """A training without a name."""
    return _("Give the new model a name.")


def nameTaken(name: str, canGoOn: bool) -> str:
    """A training of the name of a model that is there."""
    if canGoOn:
        return _("There is a model {name}: Continue goes on with it, another name begins a new one.").format(name=name)
    return _("There is a model {name} already: choose another name for a new one.").format(name=name)


def startAnewQuestion(name: str) -> str:
    """Whether to give up a training that could go on."""
    return _("There is a training of {name} that could go on. Give it up, and start a new one?").format(name=name)


def continueTip(name: str, canGoOn: bool, missing: str) -> str:
    """The tooltip of Continue."""
    if missing:
        return missing
    if canGoOn:
        return _("Go on with the training of {name} from its last checkpoint").format(name=name)
    return _("There is no training of this name that could go on.")


def begunBefore(name: str) -> str:
    """A training that has not come to its end, when the panel is opened."""
    return _("The training of {name} has not come to its end: Continue goes on.").format(name=name)


def stepLine(step: TrainingStep) -> str:
    """Where a training stands, in a line."""
    history = step.history
    if step.phase == "cases":
        return _("Copying the case {name}").format(name=step.case)
    if step.phase == "comparing":
        return _("Looking at the case {name}, which was kept aside").format(name=step.case)
    if step.phase == "starting":
        return _("Preparing the cases")
    if step.phase == "ending":
        if history.measured is None:
            return stopping()
        return _("Measuring the model on what was kept aside, {percent} %").format(
            percent=round(100 * history.measured)
        )
    parts = [_("Batch {batch}").format(batch=history.batch)]
    if history.losses:
        parts.append(_("loss {loss:.3f}").format(loss=history.losses[-1][1]))
    if history.best is not None:
        parts.append(_("best Dice {dice:.3f}").format(dice=history.best))
    if history.secondsLeft is not None:
        parts.append(_("{duration} left").format(duration=duration(history.secondsLeft)))
    return ", ".join(parts)


def stopping() -> str:
    """Just after a click on Stop."""
    return _("Stopping: the best model so far is measured")


def endedLine(trained: TrainedModel) -> str:
    """The end of a training."""
    took = duration(trained.history.seconds)
    if trained.isStopped:
        return _("Stopped after {duration}: {name} is in the list of models. Continue goes on.").format(
            duration=took, name=trained.model.name
        )
    return _("Done in {duration}: {name} is in the list of models.").format(duration=took, name=trained.model.name)


def resultText(trained: TrainedModel) -> str:
    """How well a new model does on what was kept aside, and whether it is better than the one before."""
    scores = trained.model.card.scores
    lines = []
    if scores is not None:
        each = ", ".join(_("{label} {dice:.3f}").format(label=name, dice=dice) for name, dice in scores.labels.items())
        whole = _("all labels {whole:.3f}").format(whole=scores.whole)
        lines.append(_("Held-out Dice: {figures}.").format(figures="; ".join(part for part in (each, whole) if part)))
        cases, training = ", ".join(scores.cases) or _("slices kept aside"), trained.model.card.training
        if training is None or training.kept_aside_batches is None:
            lines.append(_("Measured on: {cases}.").format(cases=cases))
        else:
            lines.append(
                _(
                    "Measured on: {cases}, after {before} of {all} batches. The model has learned from that too since"
                    " then, so it has seen more than this says."
                ).format(cases=cases, before=training.kept_aside_batches, all=training.batches)
            )
    heldOut = trained.heldOut
    if heldOut is not None and heldOut.before is not None:
        line = _("Before {before:.3f}, after {after:.3f} ({labels}).").format(
            before=heldOut.before, after=heldOut.after, labels=", ".join(heldOut.labels)
        )
        verdict = (
            _("The new model is better on the cases that were kept aside. The old one is still there.")
            if heldOut.isBetter
            else _("The new model is not better: keep the old one, or continue with more minutes or cases.")
        )
        lines.append(f"{line} {verdict}")
    if trained.model.card.training is not None and trained.model.card.training.started_from:
        lines.append(keptText(trained.model))
    return "\n".join(lines)


def keptText(model: mednca.Model) -> str:
    """What an adapted model can do besides segmenting."""
    takes = _("It takes corrections to regrow.") if model.can_regrow else _("It takes no corrections to regrow.")
    if model.finder is not None:
        return takes + " " + _("In a larger volume it finds the anatomy.")
    return takes + " " + _("It has no finder: in a volume that is larger than its cases, place a region.")


def plotMissing() -> str:
    """There is nothing to plot."""
    return _("There is nothing to plot yet.")


def defect(error: Exception) -> str:
    """A training that failed with an error that the user can do nothing about."""
    return _("The training failed because of a defect in MedNCA: {error}").format(error=error)


#
# Models
#


def exportTitle() -> str:
    """The title of the dialog that asks for a zip file to write."""
    return _("Export the model")


def addTitle() -> str:
    """The title of the dialog that asks for a model."""
    return _("Add a model")


def modelFilter() -> str:
    """The kinds of files that both offer."""
    return _("Model (*.zip)")


def addFilter() -> str:
    """The kinds of files of a model that is added; the card stands for its folder."""
    return _("Model (*.zip card.json)")


def exported(path: str) -> str:
    """A model was written."""
    return _("Written: {path}").format(path=path)


def added(name: str) -> str:
    """A model was taken in."""
    return _("{name} is in the list of models.").format(name=name)


def removeQuestion(name: str) -> str:
    """Whether to delete a model."""
    return _(
        "Delete the model {name}, and the copies of the cases that it was trained on here? It cannot be brought back,"
        " unless it was exported."
    ).format(name=name)


def removed(name: str) -> str:
    """A model was deleted."""
    return _("{name} is deleted.").format(name=name)


def removeTip(isOwn: bool) -> str:
    """The tooltip of Remove."""
    if isOwn:
        return _("Delete the chosen model, after a question")
    return _("Only models of your own can be deleted: the chosen one came with MedNCA.")


def noModel() -> str:
    """An action on a model while none is chosen."""
    return _("Choose a model first, in the section Inputs.")


#
# PyTorch
#


def installQuestion() -> str:
    """Whether to install PyTorch."""
    return _(
        "Install PyTorch into Slicer's Python? Its build for the CPU takes some 200 MB of download and 1 GB on the"
        " disk. It is only needed to train, not to segment."
    )


def installing(line: str) -> str:
    """The installation of PyTorch goes on.

    Args:
        line: what it has said last.
    """
    return _("Installing PyTorch: {line}").format(line=line.strip() or _("this takes minutes"))


def installed() -> str:
    """PyTorch is there."""
    return _("PyTorch is installed: training can start.")


def folderTitle() -> str:
    """The title of the dialog that asks for the folder with PyTorch's files."""
    return _("The folder with the files of PyTorch")
