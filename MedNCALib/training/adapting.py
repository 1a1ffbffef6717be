"""What an adapted model takes over of the one that it starts from, besides the weights that are trained.

Of several segmentation protocols that which fits the cases best. Its finder, if its labels are of the same structure.
And the weights that read hints: without hints they have no gradient, so they are left out of the training, put back at
its end, and kept if growing on from corrections is still worth more than painting alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import SimpleITK as sitk

from ..errors import ModelError, NotFoundError
from ..evaluation.corrections import Curves, correct_case
from ..evaluation.metrics import dice
from ..evaluation.perturbations import LabelledCase
from ..imaging.label_wholes import key_of
from ..imaging.labels import Label
from ..imaging.laterality import name_without_side
from ..imaging.slice_space import region_box
from ..model.card import Protocol
from ..model.model import Model, structures_of
from ..segmentation.finder import Search, runs_finder
from ..segmentation.options import RunOptions
from ..segmentation.segmenter import segment_steps
from ..segmentation.steps import run_to_end
from .preparation import ReadCases
from .starting_model import label_sources
from .widening import can_be_relabelled, with_hints_of, with_protocol

# Corrections of each case that regrowing is measured with, and the most cases.
_TURNS, _MOST_CASES = 3, 5


def keeps_finder(start: Model, labels: Sequence[Label]) -> bool:
    """Whether a model of these labels keeps the finder of the one that it starts from.

    The labels are the same, or there is one that is called like what the finder finds.
    """
    if start.finder is None:
        return False
    structure = name_without_side(structures_of(start.finder)[0])
    return _keys(labels) in (_keys(start.labels), _keys([Label(1, structure)]))


def fitted(read: ReadCases, start: Model) -> tuple[ReadCases, Model]:
    """Cases and the model that is adapted to them, as they fit each other; the notes of the cases say how.

    Args:
        read: the cases.
        start: the model.
    """
    if keeps_finder(start, read.labels):
        read = _around_structures(read, start)
    if start.card.protocols:
        start, sentence = _of_one_protocol(start, read.training)
        read = replace(read, notes=(sentence, *read.notes))
    return read, start


def _around_structures(read: ReadCases, start: Model) -> ReadCases:
    """The cases as a model with a finder meets them: larger images are cut into the boxes around what it finds."""
    training, validation = (
        tuple(block for case in cases for block in _blocks(case, start)) for cases in (read.training, read.validation)
    )
    sizes = {case.name: case.image.GetSize() for case in (*read.training, *read.validation)}
    cut = {case.name for case in (*training, *validation) if case.image.GetSize() != sizes[case.name]}
    notes = read.notes
    if cut:
        notes += (
            f"{len(cut)} of {len(sizes)} cases are larger than what {start.title} expects: it is adapted to the blocks "
            "that its finder cuts out of them.",
        )
    return replace(read, training=training, validation=validation, notes=notes)


def _of_one_protocol(start: Model, cases: Sequence[LabelledCase]) -> tuple[Model, str]:
    """A model that tells protocols apart as one of that whose border fits some cases best, and a sentence about it."""
    protocols = start.card.protocols
    scores = [np.mean([_dice(start, case, protocol) for case in cases[:_MOST_CASES]]) for protocol in protocols]
    best = protocols[int(np.argmax(scores))]
    told = ", ".join(f"{protocol.name} {score:.3f}" for protocol, score in zip(protocols, scores))
    return (
        replace(start, cascade=with_protocol(start.cascade, best.value), card=replace(start.card, protocols=())),
        f"The training starts with the border of {best.name}, which fits the cases best (Dice of all labels merged: "
        f"{told}).",
    )


def _dice(model: Model, case: LabelledCase, protocol: Protocol) -> float:
    """Of all labels merged: the labels of the cases may be others than the model's."""
    try:
        found = run_to_end(segment_steps(case.image, model, protocol=protocol.name, every_step=False)).labels
    except NotFoundError:
        return 0.0
    return dice(*(sitk.GetArrayViewFromImage(labels) > 0 for labels in (case.labels, found)))


def with_parts_of(start: Model, model: Model, cases: Sequence[LabelledCase]) -> Model:
    """A trained model with the finder and the hints of the one that it started from, as far as they fit.

    The card says what is kept and what is not.

    Args:
        start: the model before.
        model: the trained one, with its history in the card.
        cases: that it was not trained on; regrowing is measured on those that have all labels.
    """
    limits, remarks = [], []
    if start.finder is not None:
        model, has_finder = _with_finder(start, model)
        if has_finder:
            remarks.append(f"The finder is that of {start.name}.")
        else:
            limits.append("Has no finder: in a volume that is larger than its cases, limit the run to a region.")
    if start.can_regrow and not model.can_regrow:
        model, figures = _with_hints(start, model, cases)
        if model.can_regrow:
            remarks.append(f"The weights that read corrections are those of {start.name}: {figures}.")
        else:
            limits.append(f"Takes no corrections to regrow: {figures}.")
    card, history = model.card, model.card.training
    assert history is not None
    remark = " ".join([*([history.remark] if history.remark else []), *remarks]) or None
    return replace(
        model,
        card=replace(card, limits=(*card.limits, *limits), training=replace(history, remark=remark)),
    )


def _with_finder(start: Model, model: Model) -> tuple[Model, bool]:
    if keeps_finder(start, model.labels) and start.finder is not None and start.card.finder is not None:
        with suppress(ModelError):  # values or names that have no side
            kept = model.with_finder(start.finder, start.card.finder)
            sided = start.sided_labels if kept.labels == start.labels else ()
            field = start.card.field_of_view_mm
            return replace(kept, sided_labels=sided, card=replace(kept.card, field_of_view_mm=field)), True
    return model, False


def _with_hints(start: Model, model: Model, cases: Sequence[LabelledCase]) -> tuple[Model, str]:
    """The model with the weights of another that read hints, if they help; and what was measured."""
    if not can_be_relabelled(start.cascade.architecture.without_hints, model.cascade.architecture):
        return model, "its network is another than the one that has learned to read them"
    known = [case for case in cases if _has_all(case, model.labels)][:_MOST_CASES]
    if not known:
        return model, "no case that is kept aside has all labels, so it is not known whether they help"
    sources = label_sources(start.labels, model.labels)
    hinted = replace(model, cascade=with_hints_of(model.cascade, start.cascade, sources))
    curves = Curves.mean([correct_case(hinted, case, _TURNS).labels for case in known])
    before, regrown, painted = curves.regrown[0], curves.regrown[-1], curves.painted[-1]
    figures = (
        f"Dice of {len(known)} held-out case{'s' * (len(known) > 1)} {before:.3f}, after {_TURNS} corrections "
        f"{regrown:.3f} by growing again and {painted:.3f} by painting alone"
    )
    return (hinted if regrown > painted else model), figures


def _blocks(case: LabelledCase, start: Model) -> list[LabelledCase]:
    """A case, or of a larger image the boxes that show a label."""
    if not runs_finder(case.image, start, None, "auto"):
        return [case]
    try:
        finding = run_to_end(Search(case.image, start, RunOptions()).steps())
    except NotFoundError:
        return [case]
    blocks = []
    for structure in finding.structures:
        box = tuple(slice(first, last) for first, last in region_box(case.image, structure.box)[::-1])
        if sitk.GetArrayViewFromImage(case.labels[box]).any():
            blocks.append(LabelledCase(case.name, case.image[box], case.labels[box]))
    return blocks or [case]


def _has_all(case: LabelledCase, labels: Iterable[Label]) -> bool:
    values = sitk.GetArrayViewFromImage(case.labels)
    return all((values == label.value).any() for label in labels)


def _keys(labels: Iterable[Label]) -> set[str]:
    return {key_of(label.name) for label in labels}
