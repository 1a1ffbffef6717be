"""Learning curves: which cases, what is measured already, and the table."""

import json

import pytest
from support.packages import needs
from support.phantom_folders import write_phantoms

pytest.importorskip("torch", reason="training needs torch")

from tools import benchmark_page, learning_curves
from tools.learning_curves import BUNDLED, NOTHING, STRUCTURES, Structure

pytestmark = needs("monai", reason="the UNet is MONAI's")


def test_more_cases_include_the_fewer_and_none_is_tested(tmp_path, monkeypatch):
    monkeypatch.setattr(learning_curves, "CASES", (1, 3))
    write_phantoms(tmp_path, 6, size=(4, 8, 8))
    one, three = (learning_curves.chosen(tmp_path, Structure(".", "no model"), count) for count in (1, 3))
    assert one[0] == three[0][:1]
    assert one[1] == three[1]
    assert not {pair.name for pair in three[0]} & {pair.name for pair in three[1]}
    assert len(three[1]) == 3


def test_what_is_measured_is_kept_and_what_is_missing_follows_the_cheapest_first(tmp_path, monkeypatch):
    asked = []

    def measure(data, structure, count, minutes, network, scratch):
        asked.append((count, network))
        scratch.mkdir(parents=True, exist_ok=True)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return {"dice": 0.5, "batches": 10}

    monkeypatch.setattr(learning_curves, "measure", measure)
    output = tmp_path / "curves.json"
    with pytest.raises(KeyboardInterrupt):
        learning_curves.main(tmp_path, output, None, ["prostate"], (1, 3), (3,))
    assert len(json.loads(output.read_text())) == 2
    learning_curves.main(tmp_path, output, None, ["prostate"], (1, 3), (3,))
    assert asked[2] == asked[3]  # what was interrupted
    assert [count for count, _ in asked] == [1, 1, 1, 1, 3, 3, 3]
    assert len(json.loads(output.read_text())) == 6


def test_figures_of_another_machine_are_not_mixed_in(tmp_path):
    output = tmp_path / "curves.json"
    output.write_text(json.dumps([{"machine": "another", "structure": "prostate"}]))
    with pytest.raises(SystemExit, match="name another file"):
        learning_curves.main(tmp_path, output, None, ["prostate"], (1,), (3,))


def test_the_page_shows_only_what_was_measured():
    row = {"machine": "m", "version": "v", "command": "c", "date": "d", "structure": "prostate", "cases": 3}
    rows = [
        {**row, "minutes": 3, "network": NOTHING, "dice": 0.5, "batches": 1200},
        {**row, "minutes": 10, "network": BUNDLED, "dice": None, "batches": 4, "remark": "diverged"},
    ]
    page = benchmark_page.page({**benchmark_page.read_rows(), "learning_curves": rows}, benchmark_page.read_cards())
    assert "| prostate | from nothing | 3 | 0.500 (1,200) | - |" in page
    assert "| prostate | from a bundled model | 3 | - | no model (4) |" in page
    assert "learning curves | m | v | `c` | d |" in page
    assert set(STRUCTURES) == {"lateral ventricles", "thalami", "prostate", "left ventricle"}
