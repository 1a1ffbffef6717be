"""The benchmark: what it reports, not how fast anything is; and the plain reading that it compares with."""

import json
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from support.random_models import KERNELS, random_model, random_rule

from MedNCALib.automaton.rule import Rule
from MedNCALib.benchmark import kernels, models, panel
from MedNCALib.benchmark import report as bench_report
from MedNCALib.errors import MedNCAError
from MedNCALib.imaging.slice_space import SliceSpace


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Small slices and matrices, so that a repetition takes no time, and no panel."""
    monkeypatch.setattr(kernels, "SIZE", 24)
    monkeypatch.setattr(kernels, "_PRODUCT", 64)
    monkeypatch.setattr(kernels, "_PAUSE", 0)
    monkeypatch.setattr(panel, "SCRIPT", tmp_path / "bench_panel.py")


@pytest.fixture
def no_models(monkeypatch, tmp_path):
    monkeypatch.setattr("MedNCALib.model.model.bundled_models_directory", lambda: tmp_path)
    monkeypatch.delenv("MEDNCA_MODELS", raising=False)


@pytest.fixture
def host_installed(monkeypatch):
    """What the panel needs seems to be installed, also where it is not."""
    monkeypatch.setattr(panel, "find_spec", lambda name: name)


@pytest.fixture
def one_model(monkeypatch, tmp_path):
    """One model whose field is a small box."""
    monkeypatch.delenv("MEDNCA_MODELS", raising=False)
    monkeypatch.setattr("MedNCALib.model.model.bundled_models_directory", lambda: tmp_path)
    random_model(name="boxed", field_of_view_mm=[12, 20, 16], spacing=(2.0, 1.0, 4.0)).save(tmp_path / "boxed")
    return tmp_path


def test_the_json_has_the_figures_of_every_kernel_and_model(small, one_model, tmp_path, capsys):
    file = tmp_path / "speed.json"
    bench_report.run(file, repetitions=1)
    report = json.loads(file.read_text(encoding="utf-8"))

    assert list(report) == ["machine", "matmul_gflops", "kernels", "models", "scaling", "panel"]
    assert report["machine"]["threads"] >= 1
    assert report["matmul_gflops"] > 0
    rows = [(row["kernel"], row["channels"], row["hidden"]) for row in report["kernels"]]
    assert rows == [(kernel, channels, 128) for channels in (16, 32) for kernel in ("plain", *KERNELS)]
    for row in report["kernels"]:
        assert list(row) == ["kernel", "size", "channels", "hidden", "ms_per_step", "times_plain", "share_of_peak"]
        assert row["size"] == 24
        assert min(row["ms_per_step"], row["times_plain"], row["share_of_peak"]) > 0
        assert row["kernel"] != "plain" or row["times_plain"] == 1
    assert [(row["model"], row["kernel"]) for row in report["models"]] == [("boxed", engine) for engine in KERNELS]
    for row in report["models"]:
        assert list(row) == ["model", "kernel", "shape", "seconds", "peak_mb"]
        # 12 x 20 x 16 mm along R, A and S, where the model's columns run to P by 2 mm, rows to I by 1 and slices to L
        assert row["shape"] == [3, 10, 16]
        assert 0 < row["seconds"] < 60
        assert row["peak_mb"] is None or 20 < row["peak_mb"] < 2000
    assert report["scaling"]["model"] == "boxed"
    assert report["scaling"]["times_voxels"] == 64
    assert report["scaling"]["times_seconds"] > 1
    assert report["panel"] == {"longest_block_ms": None, "live_cost": None}

    printed = capsys.readouterr().out
    for expected in ("C 32, H 128", "with one thread", "boxed", "3x10x16", "64 times the voxels", "only a checkout"):
        assert expected in printed


def test_a_model_that_keeps_the_slices_of_an_image_gets_a_stack_of_them(tmp_path):
    for axes in ("acquired", "LPS"):
        model = random_model(axes=axes, spacing=(1.4, 1.4, None), field_of_view_mm=[14, 14, 13])
        assert models._write_volume(tmp_path / "volume.nrrd", model) == [256, 256, 24]
        volume = sitk.ReadImage(str(tmp_path / "volume.nrrd"))
        assert SliceSpace(volume, model.slice_format).inside_shape[0] == 24


def test_without_models_the_kernels_are_still_measured(small, no_models, capsys):
    assert bench_report.run(repetitions=1)["models"] == []
    assert "There are no models" in capsys.readouterr().out


def test_without_pytorch_the_plain_reading_is_numpys_and_the_table_says_so(small, no_models, monkeypatch, capsys):
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    report = bench_report.run(repetitions=1)
    assert [row["kernel"] for row in report["kernels"]] == ["plain", "numpy"] * 2
    assert "there is no PyTorch" in capsys.readouterr().out


def test_the_panels_figures_are_those_of_a_process_of_its_own(small, no_models, host_installed, capsys):
    panel.SCRIPT.write_text('import MedNCALib; print(\'{"longest_block_ms": 61.4, "live_cost": 0.08}\')')
    assert bench_report.run(repetitions=1)["panel"] == {"longest_block_ms": 61.4, "live_cost": 0.08}
    printed = capsys.readouterr().out
    assert "waits for 61 ms at most" in printed
    assert "takes 8% longer" in printed


def test_a_panel_that_cannot_be_measured_does_not_cost_the_other_figures(small, no_models, host_installed, capsys):
    panel.SCRIPT.write_text("raise OSError('libEGL.so.1 is missing')")
    report = bench_report.run(repetitions=1)
    assert report["kernels"]
    assert report["panel"] == {"longest_block_ms": None, "live_cost": None}
    assert "The panel was not measured: OSError: libEGL.so.1 is missing" in capsys.readouterr().out


@pytest.mark.parametrize("missing", [["slicer_core"], ["PySide6"], ["slicer_core", "PySide6"]])
def test_what_the_panel_needs_is_named_where_it_is_not_installed(monkeypatch, missing):
    monkeypatch.setattr(panel, "find_spec", lambda name: None if name in missing else name)
    names = " and ".join(name.replace("_", "-") for name in missing)
    with pytest.raises(MedNCAError, match=f"^{names} must be installed"):
        panel.measure()


def test_a_missing_folder_is_told_before_anything_is_measured(tmp_path):
    with pytest.raises(MedNCAError, match="There is no folder"):
        bench_report.run(tmp_path / "nowhere" / "speed.json")


def test_a_model_is_measured_without_pytorch_for_the_numpy_kernel(one_model, tmp_path):
    image = tmp_path / "volume.nrrd"
    models._write_volume(image, random_model(field_of_view_mm=[10, 10, 10]))
    code = (
        "import sys; from MedNCALib import bench_models as b;"
        "b._measure_here(*sys.argv[1:], 'numpy'); print('torch' in sys.modules)"
    )
    folder = one_model / "boxed"
    done = subprocess.run([sys.executable, "-c", code, folder, image], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_model_that_fails_is_named_with_the_reason(one_model, tmp_path):
    with pytest.raises(MedNCAError, match=r"boxed could not be measured: .*nothing\.nrrd"):
        models._in_own_process(one_model / "boxed", tmp_path / "nothing.nrrd", "numpy")


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
