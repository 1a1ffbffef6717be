"""Licences: which of them a user has to know."""

import pytest
from support.threshold_model import threshold_model

from MedNCALib.model.licence import is_restricted, licence_note


@pytest.mark.parametrize(
    "licence", ["Apache-2.0", "MIT License", "CC0 1.0", "CC BY 4.0", "CC BY-SA 4.0", "BSD-3-Clause", "not stated", ""]
)
def test_free_licences_and_models_of_ones_own_need_no_word(licence):
    assert not is_restricted(licence)


@pytest.mark.parametrize(
    "licence",
    ["Research use only (trained on PROMISE12)", "CC BY-NC-SA 4.0", "CC-BY-ND 4.0", "Proprietary", "Academic licence"],
)
def test_any_other_licence_is_restricted(licence):
    assert is_restricted(licence)


def test_a_restriction_is_said_in_a_sentence_that_names_the_model():
    assert licence_note(threshold_model(licence="MIT")) is None
    assert licence_note(threshold_model(licence="Research use only")) == (
        "The licence of threshold restricts its use: Research use only."
    )
