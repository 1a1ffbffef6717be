"""Sentences of the panel."""

from slicer.i18n import tr as _

# Volumes in the application's own Sample Data that suit a model.
SAMPLES = {"hippocampus-mr": "MRHead", "prostate-mr-t2": "MRUSProstate"}


def modelLine(model) -> str:
    """What a model is for, from its card: what it finds and in what, its score on data it never saw, its size."""
    whole = model.card.get("scores", {}).get("whole")
    size = model.card.get("field_of_view_mm")
    expects = [model.card["modality"], model.card["anatomy"]] + ([_millimetres(size)] if size else [])
    return _(
        "Finds: {labels}.\nExpects: {expects}.\nHeld-out Dice: {dice}. Size: {kilobytes} KB. Licence: {licence}."
    ).format(
        labels=", ".join(label.name for label in model.labels),
        expects="; ".join(expects),
        dice=_("not measured") if whole is None else f"{whole:.3f}",
        kilobytes=max(1, round(model.size_bytes / 1000)),
        licence=model.card["licence"],
    )


def sampleTip(modelName: str) -> str:
    """What the button Try it does, and which volume of the application's own suits the model."""
    tip = _("Load a synthetic volume that is made on the spot: nothing is downloaded.")
    if modelName in SAMPLES:
        tip += _(" A real one is {name} in the module Sample Data.").format(name=SAMPLES[modelName])
    return tip


def regionHint(size) -> str:
    """Why a region should be placed.

    :param size: what the model expects, in mm along right, anterior and superior.
    """
    return _("This volume is much larger than the {size} that the model expects: place a region over it.").format(
        size=_millimetres(size)
    )


def _millimetres(size) -> str:
    return _("{size} mm").format(size=" x ".join(f"{length:g}" for length in size))


def progressLine(step, secondsLeft=None) -> str:
    """Where a run stands, for example "Fine stage, step 7 of 12, slices 9-16 of 35, 4 s left".

    :param step: a step of the engine.
    :param secondsLeft: None while it is unknown.
    """
    parts = []
    if step.runs > 1:
        parts.append(_("run {run} of {runs}").format(run=step.run, runs=step.runs))
    parts.append(_stage(step.stage, step.stages))
    parts.append(_("step {step} of {steps}").format(step=step.step, steps=step.steps))
    first, stop, total = step.slices
    parts.append(_("slices {first}-{last} of {total}").format(first=first + 1, last=stop, total=total))
    if secondsLeft is not None:
        parts.append(_("{duration} left").format(duration=duration(secondsLeft)))
    line = ", ".join(parts)
    return line[0].upper() + line[1:]


def duration(seconds: float) -> str:
    """For example "4 s" or "2 min 10 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes:
        return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
    return _("{seconds} s").format(seconds=rest)


def doneLine(volumes: dict, seconds: float) -> str:
    """What was found, for example "Done in 3.8 s: anterior hippocampus 1.71 mL, posterior hippocampus 1.63 mL."

    :param volumes: segment name -> volume in mL.
    """
    found = [
        _("{name} {volume:.2f} mL").format(name=name, volume=volume) if volume else _("no {name}").format(name=name)
        for name, volume in volumes.items()
    ]
    took = _("{seconds:.1f} s").format(seconds=seconds) if seconds < 10 else duration(seconds)
    return _("Done in {duration}: {found}.").format(duration=took, found=", ".join(found))


def missing(inputVolume, hasModel: bool) -> list[str]:
    """What still has to be chosen before a run can start."""
    lacks = []
    if inputVolume is None:
        lacks.append(_("an input volume"))
    if not hasModel:
        lacks.append(_("a model"))
    return lacks


def segmentTip(isRunning: bool, lacks) -> str:
    """What a click on Segment will do, or what it waits for.

    :param lacks: see `missing`.
    """
    if isRunning:
        return _("Stop, and leave everything as it was")
    if lacks:
        return _("Still missing: {what}").format(what=", ".join(lacks))
    return _("Segment the volume")


def uncertaintyTip(runs: int) -> str:
    """What the uncertainty is or, as long as there is none, what it needs."""
    if runs < 2:
        return _("The uncertainty is the spread over several runs: set Runs to 2 or more.")
    return _("Add a volume with the spread of the probability over the runs: where it is high, the model is unsure.")


def verdictLine(verdict) -> str:
    """How far the result can be trusted, for who is to decide on it.

    :param verdict: of the table with the scores, None before there is a result.
    """
    if verdict is None:
        return _("No result yet.")
    if verdict.runs < 2:
        return _("Not checked: with one run the model cannot tell how sure it is. Set Runs to 3 or more.")
    words = {
        "pass": _("The model is sure: its runs agree to {agreement}. Look the result over as usual."),
        "review": _("Check this result slice by slice: the model is unsure here, its runs agree to {agreement} only."),
    }.get(verdict.verdict) or _("The runs agree to {agreement}. This model has no measured limits to judge that by.")
    return words.format(agreement=_("{percent:.1f} %").format(percent=100 * verdict.agreement))


def estimateLine(estimate) -> str:
    """What keeping the steps will take, for example "Keeps 12 of 32 steps: 241 MB"."""
    megabytes = _("{megabytes:.1f} MB") if estimate.megabytes < 10 else _("{megabytes:.0f} MB")
    line = _("Keeps all {steps} steps: {megabytes}.")
    if estimate.kept == 1:
        line = _("Keeps one volume: {megabytes}.")
    elif estimate.kept < estimate.steps:
        line = _("Keeps {kept} of {steps} steps: {megabytes}.")
    return line.format(
        kept=estimate.kept, steps=estimate.steps, megabytes=megabytes.format(megabytes=estimate.megabytes)
    )


def shownStepLine(step: str, last: str) -> str:
    """Which step the player shows."""
    return _("Step {step} of {last}").format(step=step, last=last)


def _stage(stage: int, stages: int) -> str:
    if stages in (2, 3):
        return {1: _("coarse stage"), stages: _("fine stage")}.get(stage) or _("middle stage")
    return _("stage {stage} of {stages}").format(stage=stage, stages=stages)
