"""The benchmark: what it reports, not how fast anything is; and the plain reading that it compares with."""

import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from support.obedient_model import obedient_model
from support.random_models import KERNELS, random_model, random_rule, spot_model
from support.threshold_model import case

from MedNCALib.automaton.rule import Rule
from MedNCALib.benchmark import kernels, large_volume, models
from MedNCALib.benchmark import report as report_of
from MedNCALib.benchmark.report import measure
from MedNCALib.errors import MedNCAError
from MedNCALib.imaging.slice_space import SliceSpace


@pytest.fixture
def small(monkeypatch):
    """Small slices and matrices, so that a repetition takes no time."""
    monkeypatch.setattr(kernels, "SIZE", 24)
    monkeypatch.setattr(kernels, "_PRODUCT", 64)
    monkeypatch.setattr(kernels, "_PAUSE", 0)
    monkeypatch.setattr(report_of, "measure_cohort", lambda: None)  # it has a test of its own


@pytest.fixture
def no_models(monkeypatch, tmp_path):
    monkeypatch.setattr("MedNCALib.model.model.bundled_models_directory", lambda: tmp_path)
    monkeypatch.delenv("MEDNCA_MODELS", raising=False)


@pytest.fixture
def one_model(monkeypatch, tmp_path):
    """One model whose field is a small box."""
    monkeypatch.delenv("MEDNCA_MODELS", raising=False)
    monkeypatch.setattr("MedNCALib.model.model.bundled_models_directory", lambda: tmp_path)
    random_model(name="boxed", field_of_view_mm=[12, 20, 16], spacing=(2.0, 1.0, 4.0)).save(tmp_path / "boxed")
    return tmp_path


def test_the_report_has_the_figures_of_every_kernel_and_model(small, one_model):
    reported = []
    report = measure(repetitions=1, progress=lambda *now: reported.append(now)).as_dict()
    assert json.loads(json.dumps(report)) == {
        **report,
        "models": [{**row, "shape": [3, 10, 16]} for row in report["models"]],
    }

    assert list(report) == ["machine", "matmul_gflops", "kernels", "models", "scaling", "large", "cohort", "panel"]
    assert report["machine"]["threads"] >= 1
    assert report["matmul_gflops"] > 0
    rows = [(row["kernel"], row["channels"], row["hidden"]) for row in report["kernels"]]
    assert rows == [(kernel, channels, 128) for channels in (16, 32) for kernel in ("plain", *KERNELS)]
    for row in report["kernels"]:
        assert list(row) == ["kernel", "size", "channels", "hidden", "ms_per_step", "times_plain", "share_of_peak"]
        assert row["size"] == 24
        assert min(row["ms_per_step"], row["times_plain"], row["share_of_peak"]) > 0
        assert row["kernel"] != "plain" or row["times_plain"] == 1
    assert [(row["model"], row["kernel"]) for row in report["models"]] == [("boxed", kernel) for kernel in KERNELS]
    for row in report["models"]:
        assert list(row) == ["model", "kernel", "shape", "seconds", "peak_mb", "seconds_all_cells", "seconds_turn"]
        # 12 x 20 x 16 mm along R, A and S; the model's columns run to P by 2 mm, rows to I by 1 and slices to L by 4
        assert row["shape"] == (3, 10, 16)
        assert 0 < row["seconds"] < 60
        assert 0 < row["seconds_all_cells"] < 60
        assert row["seconds_turn"] is None  # this model cannot regrow
        assert row["peak_mb"] is None or 20 < row["peak_mb"] < 2000
    assert report["scaling"]["model"] == "boxed"
    assert report["scaling"]["times_voxels"] == 64
    assert report["scaling"]["times_seconds"] > 0
    assert report["large"] is None  # this model's card says nothing of cells that need not run
    assert report["panel"] == {"longest_block_ms": None, "live_cost": None}
    shares = [share for share, _ in reported]
    assert shares == sorted(shares)


def test_a_turn_of_a_model_that_regrows_is_measured(tmp_path):
    model = obedient_model().save(tmp_path / "obedient")
    image = tmp_path / "volume.nrrd"
    sitk.WriteImage(case(0)[0], str(image))
    assert 0 < models.measure_here(str(model.folder), str(image), "numpy").seconds_turn < 60


def test_the_large_volume_is_measured_with_a_model_that_need_not_run_all_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(large_volume, "SHAPE", (48, 50, 52))
    monkeypatch.setattr(large_volume, "_PHANTOM", (10, 12, 10))
    skipping = {"threshold": 0.2, "margin": 1, "dice_change": 0.0}
    spot_model(name="spots", skipping=skipping).save(tmp_path / "spots")
    found = large_volume.measure_here(str(tmp_path / "spots"))
    assert (found.model, found.shape) == ("spots", (48, 50, 52))
    assert min(found.seconds, found.seconds_all_cells) > 0


def test_a_model_that_keeps_the_slices_of_an_image_gets_a_stack_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_FIELD_MM", tuple(length / 4 for length in models._FIELD_MM))
    for axes in ("acquired", "LPS"):
        model = random_model(axes=axes, spacing=(1.4, 1.4, None), field_of_view_mm=[14, 14, 13])
        assert models.write_volume(tmp_path / "volume.nrrd", model) == (64, 64, 6)
        volume = sitk.ReadImage(str(tmp_path / "volume.nrrd"))
        assert SliceSpace(volume, model.slice_format).inside_shape[0] == 6


def test_without_models_the_kernels_are_still_measured(small, no_models):
    report = measure(repetitions=1)
    assert report.models == ()
    assert report.scaling is None
    assert report.kernels


def test_without_pytorch_the_plain_reading_is_numpys_and_the_report_says_so(small, no_models, monkeypatch):
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    report = measure(repetitions=1).as_dict()
    assert [row["kernel"] for row in report["kernels"]] == ["plain", "numpy"] * 2
    assert "there is no PyTorch" in report["machine"]["plain"]


def test_the_panels_figures_are_those_of_a_script_in_a_process_of_its_own(small, no_models, tmp_path):
    script = tmp_path / "panel.py"
    script.write_text('import MedNCALib; print(\'{"longest_block_ms": 61.4, "live_cost": 0.08}\')')
    report = measure(repetitions=1, panel_script=script)
    assert report.as_dict()["panel"] == {"longest_block_ms": 61.4, "live_cost": 0.08}
    assert report.panel.failure is None


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("raise OSError('libEGL.so.1 is missing')", "OSError: libEGL.so.1 is missing"),
        ("print('{}')", "its script printed other figures"),
        ("", "it printed no figures"),
        ("raise SystemExit(1)", "it ended without a message"),
    ],
)
def test_a_panel_that_cannot_be_measured_does_not_cost_the_other_figures(small, no_models, tmp_path, code, failure):
    script = tmp_path / "panel.py"
    script.write_text(code)
    report = measure(repetitions=1, panel_script=script)
    assert report.kernels
    assert report.as_dict()["panel"] == {"longest_block_ms": None, "live_cost": None}
    assert report.panel.failure == failure


def test_a_model_is_measured_without_pytorch_for_the_numpy_kernel(one_model, tmp_path):
    image = tmp_path / "volume.nrrd"
    models.write_volume(image, random_model(field_of_view_mm=[10, 10, 10]))
    code = (
        "import sys; from MedNCALib.benchmark import models;"
        "models.measure_here(*sys.argv[1:], 'numpy'); print('torch' in sys.modules)"
    )
    folder = one_model / "boxed"
    done = subprocess.run([sys.executable, "-c", code, folder, image], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_model_that_fails_is_named_with_the_reason(one_model, tmp_path):
    with pytest.raises(MedNCAError, match=r"boxed could not be measured: .*nothing\.nrrd"):
        models.measure_in_process(one_model / "boxed", tmp_path / "nothing.nrrd", "numpy")


def test_the_work_that_a_step_needs_is_counted():
    times = kernels.KernelTimes(16, 128, {}, {"numpy": 1.0})
    # Half of 65,536 cells: nine neighbours of 16 channels to 32 filters, 48 inputs to 128, and 128 to 16.
    assert times.needed == 2 * 32768 * (9 * 16 * 32 + 48 * 128 + 128 * 16)
    assert times.peak == 2 * 1536**3


def test_the_plain_reading_is_the_rule():
    torch = pytest.importorskip("torch")
    from MedNCALib.automaton.kernels.dense_reference import DenseReference

    rule: Rule = random_rule(8)
    random = np.random.default_rng(3)
    state = random.standard_normal((2, 9, 7, 8), np.float32)
    fire = random.random((2, 9, 7)) < 0.5
    found = DenseReference(rule, 3).step(torch.from_numpy(state), torch.from_numpy(fire))
    np.testing.assert_allclose(found, rule.step(state, fire, 3, "reflect"), atol=1e-5)
