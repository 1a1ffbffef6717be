"""The card of a model that was trained on collections: its figures by collection, on subjects that chose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..evaluation.card_scores import measured_card
from ..model.card import ModelCard, Scores
from ..model.model import Model
from .validation import CollectionCases


def card_of_collections(model: Model, collections: Sequence[CollectionCases]) -> ModelCard:
    """The model's card with new figures.

    The figures that a card has of one collection are those of the first that knows each label, else of the first;
    they are measured as the model is used, with the protocol that it finds out.

    Args:
        model: trained.
        collections: their reporting cases, at least one.
    """
    main = next((each for each in collections if each.knows_parts), collections[0])
    card = measured_card(model, main.cases)
    assert card.scores is not None
    by_collection = {each.collection.name: _scores(model, each) for each in collections}
    return replace(card, scores=replace(card.scores, collections=by_collection))


def _scores(model: Model, cases: CollectionCases) -> Scores:
    *by_label, whole = cases.scores(model)
    return Scores(
        whole=round(whole, 4),
        labels={label.name: round(dice, 4) for label, dice in zip(model.labels, by_label)},
        cases=tuple(case.name for case in cases.cases),
        what="hard Dice on the input's grid, single run, border of the collection's protocol",
    )
