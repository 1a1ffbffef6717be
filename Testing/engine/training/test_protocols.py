"""Segmentation protocols in training: the number that cells begin with, and the vote if they are given none."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.protocols import NamedProtocols


def drawn(unnamed_share, count=6):
    numbers, votes = torch.tensor([3.0, -3.0] * (count // 2)), torch.ones(count, dtype=torch.bool)
    return NamedProtocols.draw(numbers, votes, unnamed_share, torch.Generator().manual_seed(0))


def test_named_protocols_are_in_the_last_channel_alone():
    state = torch.ones(6, 4, 5, 5)
    begun = drawn(unnamed_share=0.0).begin(state)
    assert torch.equal(begun[:, :-1], state[:, :-1])
    assert begun[:, -1].mean(dim=(1, 2)).tolist() == [3, -3] * 3
    assert not drawn(unnamed_share=1.0).begin(state)[:, -1].any()


def test_the_next_stage_is_given_the_number_if_none_was_named():
    state = torch.ones(6, 4, 5, 5)
    assert torch.equal(drawn(unnamed_share=0.0).hand_over(state), state)
    handed_over = drawn(unnamed_share=1.0).hand_over(state)
    assert handed_over[:, -1].mean(dim=(1, 2)).tolist() == [3, -3] * 3
    assert torch.equal(handed_over[:, :-1], state[:, :-1])


def test_the_vote_is_asked_for_only_if_no_protocol_was_named_and_the_look_counts():
    right = torch.tensor([5.0, -5.0] * 3)[:, None, None, None].expand(6, 4, 5, 5)
    unnamed = drawn(unnamed_share=1.0)
    assert unnamed.vote_loss(right).item() == pytest.approx(np.log1p(np.exp(-5)), rel=1e-3)
    assert unnamed.vote_loss(-right).item() == pytest.approx(5, abs=0.01)
    assert drawn(unnamed_share=0.0).vote_loss(-right) == 0
    silent = NamedProtocols(unnamed.numbers, unnamed.named, torch.zeros(6, dtype=torch.bool))
    assert silent.vote_loss(-right) == 0


def test_some_protocols_are_named_and_others_are_not():
    named = drawn(unnamed_share=0.3, count=1000).named
    assert 0.65 < named.float().mean() < 0.75
