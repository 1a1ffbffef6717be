"""The script that times the training's steps."""

import pytest

pytest.importorskip("torch", reason="training needs torch")

from tools import training_speed


def test_both_precisions_are_timed_for_each_number_of_channels(monkeypatch, capsys):
    monkeypatch.setattr(training_speed, "SIZE", 8)
    monkeypatch.setattr(training_speed, "REPETITIONS", 1)
    training_speed.compare_precisions()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["16", "24", "32"]
    assert all(f"{precision} " in line for line in lines for precision in ("float32", "bfloat16"))
