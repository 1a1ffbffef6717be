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
