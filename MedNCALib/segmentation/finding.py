"""From the cells of a finder to what is found: one structure on each side, or a sentence why not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from ..errors import NotFoundError
from ..imaging.labels import Label
from ..imaging.laterality import name_without_side, side_of
from ..model.card import FinderUse
from ..model.model import Model, structures_of
from ..numerics import blas_threads
from .coarse_map import CoarseMap, Piece
from .coarse_places import CoarsePlaces
from .found_structures import Box, Finding, FoundStructure

# A second piece of one label, away from the first, that is at least this share of it may be the structure as well.
_RIVAL = 0.5

# A piece that is longer along any axis than this many times what the model expects to see around it is something else.
_LONGEST = 1.5

# Area of the brain at the border of the image, in mm2, above which the image does not show all of it. The spinal cord
# alone passes through less.
_BRAIN_CUT = 2000.0


@blas_threads.one_thread()
def found_in(coarse: CoarseMap, model: Model, finder: Model, brain: Piece | None, use: FinderUse) -> Finding:
    """What a finder has found.

    Args:
        coarse: what its cells say.
        model: what the structures are found for.
        finder: its finder.
        brain: cells of the brain; None if the finder does not know it.
        use: what counts as found.

    Raises:
        NotFoundError: nothing is found, or nothing that is sure; a structure in several places; sides that cannot be.
    """
    places = CoarsePlaces(coarse.space)
    extent = model.card.field_of_view_mm
    wanted = structures_of(finder)
    possible = {label: _possible_pieces(coarse, label, places, extent, use) for label in wanted}
    pieces: dict[Label, Piece] = {}
    structures: dict[Label, FoundStructure] = {}
    for label in wanted:
        sure = [piece for piece in possible[label] if piece.confidence >= use.least_confidence]
        if sure:
            pieces[label], box = _one_of(sure, label, places, extent, use)
            is_cut = places.cut_area(pieces[label].cells) > 0
            structures[label] = FoundStructure(side_of(label), box, pieces[label].confidence, is_cut)
    if not pieces:
        raise _nothing_found(wanted, [piece for several in possible.values() for piece in several], use)
    _check_sides(pieces, places)
    notes = list(_notes(wanted, structures, use.usual_confidence))
    brain_ml = None
    if brain is not None:
        if places.cut_area(brain.cells) <= _BRAIN_CUT:
            brain_ml = len(brain.cells) * coarse.space.voxel_ml
        else:
            notes.append("The volume does not show the whole brain, so that the size of the brain is not known.")
    return Finding(tuple(structures.values()), brain_ml, tuple(notes))


def _possible_pieces(
    coarse: CoarseMap, label: Label, places: CoarsePlaces, extent: Sequence[float] | None, use: FinderUse
) -> list[Piece]:
    """The pieces of a label that are neither too small nor too large, the one of the largest weight first."""
    pieces = coarse.pieces(label, use.least_ml)
    if extent is None:
        return pieces
    return [piece for piece in pieces if (places.extent(piece.cells) <= _LONGEST * np.asarray(extent)).all()]


def _one_of(
    pieces: Sequence[Piece], label: Label, places: CoarsePlaces, extent: Sequence[float] | None, use: FinderUse
) -> tuple[Piece, Box]:
    """The structure among the pieces of its label, and its box: the first, with the others in the box around it.

    Raises:
        NotFoundError: a piece elsewhere may be the structure as well.
    """
    first, *others = pieces
    extent = extent or (0.0, 0.0, 0.0)
    low, high = np.reshape(places.box(first.centre, first.cells, extent, use.margin_mm), (3, 2)).T
    near: list[Piece] = []
    far: list[Piece] = []
    for other in others:
        centre = places.ras(other.centre[None])[0]
        (near if ((centre >= low) & (centre <= high)).all() else far).append(other)
    piece = first.with_others(near)
    if any(other.weight >= _RIVAL * piece.weight for other in far):
        raise NotFoundError(
            f"A {label.name} was found in several places: the volume may show more than one head or body. Limit the "
            "run to a region over one of them."
        )
    return piece, places.box(first.centre, piece.cells, extent, use.margin_mm)


def _nothing_found(wanted: Collection[Label], unsure: Collection[Piece], use: FinderUse) -> NotFoundError:
    (name,) = {name_without_side(label) for label in wanted}
    advice = "Choose another volume or model, or limit the run to a region over the anatomy."
    if not unsure:
        return NotFoundError(f"No {name} was found in the volume. {advice}")
    best = max(piece.confidence for piece in unsure)
    return NotFoundError(
        f"What was found may be no {name}: its confidence is {best:.2f}, and must be {use.least_confidence:g} at "
        f"least. {advice}"
    )


def _check_sides(pieces: Mapping[Label, Piece], places: CoarsePlaces) -> None:
    """Refuse a left one that lies to the right of the right one."""
    along_right = {side_of(label): places.ras(piece.centre[None])[0, 0] for label, piece in pieces.items()}
    if {"left", "right"} <= along_right.keys() and along_right["left"] >= along_right["right"]:
        raise NotFoundError(
            "What was found on the left lies to the right of what was found on the right. Check which way the axes of "
            "the volume point, or limit the run to a region over one side."
        )


def _notes(
    wanted: Collection[Label], structures: Mapping[Label, FoundStructure], usual_confidence: float
) -> Iterator[str]:
    """What a user has to know of the structures."""
    unsure = {label: each.confidence for label, each in structures.items() if each.confidence < usual_confidence}
    if unsure:
        names = " and ".join(f"the {label.name} ({confidence:.2f})" for label, confidence in unsure.items())
        yield (
            f"The finder is less sure of {names} than it is in images like those it has learned from "
            f"({usual_confidence:g} and more): the contrast may be another one, such as FLAIR, or the head may be "
            "tilted. Look at the result before you use it."
        )
    for label in wanted:
        if label not in structures:
            yield f"The {label.name} was not found: the volume does not show it, or it was missed."
        elif structures[label].is_cut:
            yield (
                f"The {label.name} reaches the border of the volume: a part of it may lie outside, and its size is "
                "then not complete."
            )
