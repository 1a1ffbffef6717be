"""Licences: which of them a user has to know."""

import pytest

from MedNCALib.model.licence import is_restricted


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
