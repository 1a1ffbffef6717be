"""mednca bench: the tables and the JSON, of figures that are made up."""

import json

import pytest
from support.command_line import refused

from MedNCALib.benchmark import cohort, kernels, large_volume, models, report
from MedNCALib.cli.main import main

MACHINE = {"processor": "a fast one", "threads": 2, "load_before": 0.1}
TIMES = kernels.KernelTimes(
    16,
    128,
    {"plain": 0.08, "numpy": 0.01, "numpy, one thread": 0.02},
    {"numpy": 0.1},
)
COSTS = (
    models.ModelCost("boxed", "numpy", (3, 10, 16), 0.5, 130.0, 1.75),
    models.ModelCost("boxed", "torch", (3, 10, 16), 0.4, None, None, 0.25),
)
NO_PANEL = report.PanelFigures()
SCALING = models.Scaling("boxed", 64.0, 60.0, 210.0)
LARGE = large_volume.LargeVolume("boxed", (512, 512, 600), 14.2, 301.0, 900.0)

COHORT = cohort.CohortCost("boxed", 48, 0.25, 14.2, 7.4, 1.86, 9.8, 143.0, None)


@pytest.fixture
def measured(monkeypatch):
    """A function that replaces the measurement by a report; it gives a list of the options that the command passes."""

    def replace(machine=MACHINE, costs=COSTS, scaling=SCALING, panel=NO_PANEL):
        given = []

        def measure(panel_script=None, progress=None):
            progress(0.5, "half way")
            given.append(panel_script)
            return report.BenchmarkReport(machine, (TIMES,), costs, scaling, panel, LARGE, COHORT)

        monkeypatch.setattr(report, "measure", measure)
        return given

    return replace


def test_the_tables_show_kernels_models_and_how_cost_grows(measured, capsys):
    measured()
    assert main(["bench"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for expected in (
        "processor      a fast one",
        "C 16, H 128              numpy     10.0          8.0",
        "with one thread: numpy 2.00 times as long",
        "3x10x16     0.50      1.75       -",
        "3x10x16     0.40         -    0.25",
        "boxed: 512x512x600 with one small structure takes 14 s, 301 s if all cells run (from a part of it)",
        "130 MB",
        "boxed: 64 times the voxels take 60 times as long, 210 MB",
        "48 cases with boxed, 0.250 s of segmentation each:",
        "over --jobs 1                          1.86 times",
        "over a command for each case           9.8 times",
        "a case beyond its segmentation           14 ms",
        "with --dask                            -, it needs distributed",
        "peak memory of a worker                  143 MB",
    ):
        assert expected in printed.out
    assert "Other programs" not in printed.out
    assert "panel" not in printed.out


def test_a_busy_machine_and_missing_models_are_said(measured, capsys):
    measured(machine={**MACHINE, "load_before": 1.5}, costs=(), scaling=None)
    assert main(["bench"]) == 0
    printed = capsys.readouterr().out
    assert "Other programs are at work" in printed
    assert "There are no models to measure." in printed


def test_the_json_has_all_figures(measured, tmp_path):
    measured()
    file = tmp_path / "speed.json"
    assert main(["bench", "--json", str(file)]) == 0
    written = json.loads(file.read_text(encoding="utf-8"))
    assert list(written) == ["machine", "matmul_gflops", "kernels", "models", "scaling", "large", "cohort", "panel"]
    assert written["models"][0]["shape"] == [3, 10, 16]
    assert written["panel"] == {"longest_block_ms": None, "live_cost": None}


def test_the_panel_is_measured_by_a_script_that_is_given(measured, tmp_path, capsys):
    script = tmp_path / "panel.py"
    script.write_text("")
    given = measured(panel=report.PanelFigures(61.4, 0.08))
    assert main(["bench", "--panel", str(script)]) == 0
    assert given == [script]
    printed = capsys.readouterr().out
    assert "waits for 61 ms at most" in printed
    assert "takes 8% longer" in printed


def test_why_the_panel_was_not_measured_is_said(measured, tmp_path, capsys):
    script = tmp_path / "panel.py"
    script.write_text("")
    measured(panel=report.PanelFigures(failure="libEGL.so.1 is missing"))
    assert main(["bench", "--panel", str(script)]) == 0
    assert "The panel was not measured: libEGL.so.1 is missing" in capsys.readouterr().out


def test_missing_places_are_said_before_anything_is_measured(tmp_path, capsys):
    assert "There is no folder" in refused(capsys, "bench", "--json", tmp_path / "nowhere" / "speed.json")
    assert "There is no script" in refused(capsys, "bench", "--panel", tmp_path / "nothing.py")
