"""The pages that programs write are what the programs write now, from the figures, the cards and the docstrings."""

import json
import re

import pytest
from support.shared_data import REPOSITORY
from tools import benchmark_page, reference_page

from MedNCALib import load_model


def test_the_page_of_benchmarks_and_its_pictures_are_up_to_date():
    rows, cards = benchmark_page.read_rows(), benchmark_page.read_cards()
    assert benchmark_page.PAGE.read_text(encoding="utf-8") == benchmark_page.page(rows, cards)
    for name in cards:
        written = benchmark_page.picture_file(name).read_text(encoding="utf-8")
        assert written == benchmark_page.picture(benchmark_page.compared(rows, name))


def test_the_python_reference_is_up_to_date():
    assert reference_page.PAGE.read_text(encoding="utf-8") == reference_page.page()


def test_readme_has_the_conclusion_of_the_comparison():
    readme = " ".join((REPOSITORY / "README.md").read_text(encoding="utf-8").split())
    assert " ".join(benchmark_page.CONCLUSION) in readme


def test_the_rows_of_bundled_models_are_those_of_the_cards():
    rows = benchmark_page.read_rows()
    for name, card in benchmark_page.read_cards().items():
        row = next(row for row in benchmark_page.compared(rows, name) if row["network"] == benchmark_page.BUNDLED)
        assert row["dice"] == pytest.approx(card["scores"]["whole"], abs=0.0006)
        assert row["dice_drop"] == pytest.approx(card["robustness"], abs=0.0006)
        assert row["parameters"] == load_model(name).cascade.without_hints.parameter_count
        assert row["training_minutes"] == pytest.approx(card["training"]["minutes"], abs=1)


def test_every_row_says_where_it_comes_from():
    for table in benchmark_page.read_rows().values():
        for row in table:
            assert row["machine"]
            assert row["version"]
            assert row["command"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])


def test_a_comparison_replaces_the_rows_of_its_model_alone(tmp_path):
    rows = benchmark_page.read_rows()
    measured = {
        benchmark_page.BUNDLED: {
            "remark": "",
            "training_minutes": 3.0,
            "dice": 0.8765,
            "hd95_mm": None,
            "parameters": 1000,
            "megabytes": 0.1,
            "seconds": 0.2,
            "peak_mb": 300.0,
            "dice_drop": {"noise 0.1": 0.01, "mirrored": -0.0001},
        },
        benchmark_page.UNET: {"remark": "The loss is no longer a number.", "training_minutes": 1.0},
    }
    changed = benchmark_page.with_comparison(rows, "prostate-mr-t2", json.loads(json.dumps(measured)))
    others = [row for row in rows["comparison"] if row["model"] != "prostate-mr-t2"]
    assert changed["comparison"][: len(others)] == others
    new = benchmark_page.compared(changed, "prostate-mr-t2")
    assert [row["network"] for row in new] == [benchmark_page.BUNDLED, benchmark_page.UNET]
    page = benchmark_page.page(changed, benchmark_page.read_cards())
    assert "| **bundled model** | 0.876 | - | 1,000 | 0.1 MB | 0.20 s | 300 MB | 3 |" in page
    assert "| UNet (MONAI) | The loss is no longer a number. | - | - | - | - | - | 1 |" in page
    assert "| mirrored | 0.000 |" in page
    assert "0.88" in benchmark_page.picture(new)


def measured_speed(load):
    kernel = {"channels": 16, "hidden": 128, "kernel": "numpy", "ms_per_step": 14.2}
    model = {"model": "prostate-mr-t2", "kernel": "numpy", "shape": [256, 256, 24], "seconds": 2.84, "peak_mb": 179.2}
    cohort = {"model": "hippocampus-mr", "seconds": 0.304, "overhead_ms": 45.1, "throughput": 4.31}
    return {
        "machine": {"processor": "Another", "processors": 4, "load_before": load},
        "kernels": [kernel],
        "models": [{**model, "seconds_all_cells": 12.6, "seconds_turn": None}],
        "large": {**model, "seconds_all_cells": 634.1, "peak_mb": None},
        "scaling": {"model": "prostate-mr-t2", "times_voxels": 64.0, "times_seconds": 30.8, "peak_mb": 190.0},
        "cohort": {**cohort, "times_one_command": 7.2, "worker_peak_mb": 160.6},
        "panel": {"longest_block_ms": 77.3, "live_cost": 0.101},
    }


def test_measured_speed_replaces_its_own_tables_alone():
    rows = benchmark_page.read_rows()
    changed = benchmark_page.with_speed(rows, measured_speed(0.1))
    kept = ("comparison", "training_seeds", "learning_curves")
    assert [changed[table] for table in kept] == [rows[table] for table in kept]
    page = benchmark_page.page(changed, benchmark_page.read_cards())
    for line in (
        "| 16 channels, 128 hidden units | - | 14 ms | - |",
        "| `prostate-mr-t2` | 256 x 256 x 24 | NumPy | 2.8 s | 13 s | - | 179 MB |",
        "| `prostate-mr-t2` | 256 x 256 x 24 | 2.8 s | 634 s | - |",
        "| `prostate-mr-t2` | 64 | 31 | 190 MB |",
        "| `hippocampus-mr` | 0.30 s | 45 ms | 4.3 | 7 | 161 MB |",
        "| 77 ms | 10% |",
        "many volumes; event loop of the panel | Another, 4 cores |",
    ):
        assert line in page


@pytest.mark.parametrize("load", [0.6, 3.0])
def test_speed_that_was_measured_beside_other_programs_is_refused(load):
    with pytest.raises(SystemExit, match="when nothing else runs"):
        benchmark_page.with_speed({}, measured_speed(load))


def test_speed_without_the_panel_is_refused():
    measured = {**measured_speed(0.1), "panel": {"longest_block_ms": None, "live_cost": None}}
    with pytest.raises(SystemExit, match="The panel was not measured"):
        benchmark_page.with_speed({}, measured)


def test_a_docstring_in_googles_style_becomes_markdown():
    source = '''
def count(cells: int, *, limit: int | None = None, **options) -> int:
    """Count cells.

    >>> count(2)
    2

    Args:
        cells: how many
            there are.
        limit: not more.

    Returns:
        The number.

    Raises:
        ValueError: fewer than none.
    """
'''
    (function,) = reference_page.ast.parse(source).body
    assert reference_page._description(function) == (
        "### count\n\n```py\ncount(cells: int, *, limit: int | None = None, **options) -> int\n```\n\nCount cells.\n\n"
        "```py\n>>> count(2)\n2\n```\n\nArguments:\n\n- `cells`: how many there are.\n- `limit`: not more.\n\n"
        "Returns: The number.\n\nRaises:\n\n- `ValueError`: fewer than none.\n"
    )
