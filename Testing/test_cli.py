"""The command line: what each command writes and prints, and that nothing ends in a traceback."""

import json
import os
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk
from shared_data import REPOSITORY, shared_data
from threshold_model import case, threshold_model

from MedNCALib.cli import main

COMMANDS = ("models", "segment", "evaluate", "train", "import-reference", "bench", "demo")


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "models" / "threshold"
    threshold_model().save(folder)
    return str(folder)


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "scan.nii.gz"
    sitk.WriteImage(case(0)[0], str(path))
    return path


@pytest.fixture
def cohort(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for seed in range(2):
        for folder, image in zip(("images", "labels"), case(seed)):
            sitk.WriteImage(image, str(tmp_path / folder / f"case{seed}.nrrd"))
    return ["--images", str(tmp_path / "images"), "--labels", str(tmp_path / "labels")]


def mednca(*arguments, **environment):
    """Run the command in a process of its own, from elsewhere than the source tree's root."""
    return subprocess.run(
        [sys.executable, "-m", "MedNCALib", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=REPOSITORY / "Testing",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8", **environment},
        timeout=120,
        check=False,
    )


def python(code):
    """What a fresh interpreter prints for the code."""
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=REPOSITORY, timeout=60, check=True
    ).stdout.strip()


def refused(capsys, *arguments):
    """The one line that a refused command leaves on stderr."""
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as end:  # argparse's way of refusing arguments
        code = end.code
    output = capsys.readouterr()
    assert code == 2
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err
    return output.err


def array(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


# --- All commands ---


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert f"usage: mednca {command}" in capsys.readouterr().out


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in printed] == []


def test_an_unknown_command_is_one_line_and_code_2(capsys):
    assert "invalid choice: 'grow'" in refused(capsys, "grow")


def test_a_missing_option_is_one_line_and_code_2(capsys, volume):
    assert "-m/--model" in refused(capsys, "segment", volume, "-o", "out")


def test_an_unknown_model_is_one_line_and_code_2(capsys, volume, tmp_path):
    assert "There is no model 'nobody'" in refused(capsys, "segment", volume, "-m", "nobody", "-o", tmp_path)


def test_a_process_of_its_own_ends_the_same_way(model, tmp_path):
    ended = mednca("segment", tmp_path / "nowhere.nii", "-m", model, "-o", tmp_path / "out")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("mednca: There is no file or folder")
    assert ended.stderr.count("\n") == 1


def test_a_name_that_the_terminal_cannot_print_is_no_error(model, volume, tmp_path):
    named = volume.rename(tmp_path / "Größe 海馬.nii.gz")
    for options in ([], ["--json"]):
        ended = mednca(
            "segment", named, "-m", model, "-o", tmp_path, *options, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
        )
        assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)[0]["input"] == str(named)
    assert (tmp_path / "Größe 海馬_threshold.seg.nrrd").exists()


def test_help_loads_neither_simpleitk_nor_torch():
    code = "import sys, MedNCALib.cli; print({'SimpleITK', 'numpy', 'torch'} & set(sys.modules))"
    assert python(code) == "set()"


def test_a_closed_pipe_is_no_error(model):
    # What `mednca models | head -1` does.
    process = subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", "models", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "MEDNCA_MODELS": os.path.dirname(model)},
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


# --- models ---


def test_models_lists_the_users_own(model, monkeypatch, capsys):
    monkeypatch.setenv("MEDNCA_MODELS", os.path.dirname(model))
    assert main(["models"]) == 0
    assert "threshold Threshold: medium, bright" in " ".join(capsys.readouterr().out.split())
    assert main(["models", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert listed["threshold"]["labels"] == [{"value": 1, "name": "medium"}, {"value": 2, "name": "bright"}]
    assert listed["threshold"]["size_bytes"] > 0


# --- segment ---


def test_segment_writes_a_segmentation_named_after_image_and_model(model, volume, tmp_path, capsys):
    assert main(["segment", str(volume), "-m", model, "-o", str(tmp_path / "new" / "out")]) == 0
    path = tmp_path / "new" / "out" / "scan_threshold.seg.nrrd"
    assert [path] == list((tmp_path / "new" / "out").iterdir())
    truth = case(0)[1]
    written = sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(truth))
    assert written.GetSpacing() == pytest.approx(truth.GetSpacing())
    assert written.GetMetaData("Segment1_Name") == "bright"
    printed = capsys.readouterr()
    assert "scan_threshold.seg.nrrd: medium" in printed.out
    assert printed.err == ""


def test_segment_prints_a_summary_as_json(model, volume, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["-m", model, "-o", str(out), "--runs", "2", "--probability", "--uncertainty", "--json"]
    assert main(["segment", str(volume), *options]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert summary["input"] == str(volume)
    assert summary["model"] == "threshold"
    assert summary["segmentation"] == str(out / "scan_threshold.seg.nrrd")
    assert summary["probabilities"]["bright"] == str(out / "scan_threshold_bright_probability.nrrd")
    assert summary["seconds"] > 0
    assert summary["quality"]["runs"] == 2
    truth = case(0)[1]
    voxel_ml = np.prod(truth.GetSpacing()) / 1000
    assert summary["volumes_ml"]["bright"] == pytest.approx((sitk.GetArrayFromImage(truth) == 2).sum() * voxel_ml)
    bright = array(summary["probabilities"]["bright"])
    assert (bright[sitk.GetArrayFromImage(truth) == 2] > 0.5).all()
    assert array(summary["uncertainty"]).max() > 0


def test_segment_takes_several_images_and_dicom_folders(model, volume, tmp_path, capsys):
    folder = shared_data("inputs", "CTHeadAxialDicom")
    assert main(["segment", str(volume), str(folder), "-m", model, "-o", str(tmp_path), "--json"]) == 0
    summaries = json.loads(capsys.readouterr().out)
    assert [os.path.basename(summary["segmentation"]) for summary in summaries] == [
        "scan_threshold.seg.nrrd",
        "CTHeadAxialDicom_threshold.seg.nrrd",
    ]
    assert array(summaries[1]["segmentation"]).shape == (93, 64, 64)


@pytest.mark.parametrize("name", ["ProstateX-0000_t2_tra_dicom", "abdomen_mr_LPS_3mm.nii.gz", "spine_t2_PSR.nii.gz"])
def test_segment_keeps_the_geometry_of_real_inputs(model, tmp_path, capsys, name):
    from MedNCALib.files import read_image

    source = shared_data("inputs", name)
    assert main(["segment", str(source), "-m", model, "-o", str(tmp_path), "--json"]) == 0
    image, labels = read_image(source), sitk.ReadImage(json.loads(capsys.readouterr().out)[0]["segmentation"])
    assert labels.GetSize() == image.GetSize()
    assert labels.GetOrigin() == pytest.approx(image.GetOrigin(), abs=1e-4)
    assert labels.GetSpacing() == pytest.approx(image.GetSpacing(), abs=1e-6)
    assert labels.GetDirection() == pytest.approx(image.GetDirection(), abs=1e-6)


def test_segment_looks_only_at_the_region(model, volume, tmp_path, capsys):
    # The block runs from R 0 to -8 (its first index to the left) and from S 0 to 12.
    region = ["--region", "-20", "20", "-20", "20", "-1", "5"]
    assert main(["segment", str(volume), "-m", model, "-o", str(tmp_path), *region]) == 0
    labels, truth = array(tmp_path / "scan_threshold.seg.nrrd"), sitk.GetArrayFromImage(case(0)[1])
    assert labels[:3].any()
    assert np.array_equal(labels[:3], truth[:3])
    assert not labels[4:].any()


def test_images_that_would_overwrite_each_other_are_refused(model, volume, tmp_path, capsys):
    (tmp_path / "b").mkdir()
    other = tmp_path / "b" / "scan.nrrd"
    sitk.WriteImage(case(1)[0], str(other))
    message = refused(capsys, "segment", volume, other, "-m", model, "-o", tmp_path / "out")
    assert "would be written to the same file" in message
    assert not (tmp_path / "out").exists()


def test_an_image_without_contrast_is_named(model, tmp_path, capsys):
    sitk.WriteImage(sitk.Image((8, 8, 8), sitk.sitkInt16), str(tmp_path / "flat.nrrd"))
    message = refused(capsys, "segment", tmp_path / "flat.nrrd", "-m", model, "-o", tmp_path / "out")
    assert "flat.nrrd: The image has no contrast" in message
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--runs", "0"], "runs"),
        (["--runs", "two"], "--runs"),
        (["--engine", "gpu"], "engine 'gpu' is not known"),
        (["--threads", "0"], "threads"),
        (["--uncertainty"], "at least 2 runs"),
        (["--seed", "-1"], "seed"),
        (["--region", "0", "1", "2"], "--region"),
        (["--region", "900", "901", "900", "901", "900", "901"], "region"),
    ],
)
def test_settings_that_make_no_sense_are_one_line_and_code_2(model, volume, tmp_path, capsys, options, message):
    assert message in refused(capsys, "segment", volume, "-m", model, "-o", tmp_path / "out", *options)


def test_a_file_where_the_output_folder_should_be_is_named(model, volume, tmp_path, capsys):
    assert "scan.nii.gz" in refused(capsys, "segment", volume, "-m", model, "-o", volume)


@pytest.mark.skipif(find_spec("tqdm") is None, reason="needs tqdm")
def test_a_progress_bar_is_drawn_on_a_terminal(model, volume, tmp_path):
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "MedNCALib", "segment", str(volume), "-m", model, "-o", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=REPOSITORY,
    )
    os.close(theirs)
    drawn = b""
    try:
        while piece := os.read(ours, 4096):
            drawn += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert b"%|" in drawn
    assert b"scan.nii.gz" in drawn


def test_torch_is_not_loaded_by_the_numpy_engine(model, volume, tmp_path):
    code = (
        "import sys; from MedNCALib.cli import main; "
        f"code = main(['segment', {str(volume)!r}, '-m', {model!r}, '-o', {str(tmp_path)!r}, '--engine', 'numpy']); "
        "print(code, 'torch' in sys.modules)"
    )
    assert python(code).endswith("0 False")


# --- evaluate ---


def test_evaluate_prints_a_table_and_writes_json(model, cohort, tmp_path, capsys):
    pytest.importorskip("surface_distance")
    assert main(["evaluate", "-m", model, *cohort, "--json", str(tmp_path / "report.json"), "--limit", "1"]) == 0
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in report["cases"]] == ["case0"]
    assert report["mean"]["whole"]["dice"] == 1.0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Dice", "/", "HD95", "medium", "bright", "whole"]
    assert lines[-1].startswith("mean")
    assert "1.000" in lines[-1]


def test_evaluate_with_perturbations_prints_their_table_and_writes_them_as_json(model, cohort, tmp_path, capsys):
    pytest.importorskip("surface_distance")
    report = tmp_path / "report.json"
    assert main(["evaluate", "-m", model, *cohort, "--perturb", "--limit", "1", "--json", str(report)]) == 0
    table = json.loads(report.read_text(encoding="utf-8"))["perturbations"]
    lines = capsys.readouterr().out.split("\n\n")[1].splitlines()
    printed = {name.strip(): figures for name, *figures in (line.rsplit(maxsplit=2) for line in lines)}
    for name, scores in table.items():
        assert [float(word) for word in printed[name]] == pytest.approx([scores["whole"], scores["fall"]], abs=6e-4)
    assert printed["axis order"] == ["1.000", "0.000"]


def test_evaluate_writes_the_figures_of_the_card(model, cohort, capsys):
    pytest.importorskip("surface_distance")
    before = {file: (Path(model) / file).read_bytes() for file in ("weights.npz", "labels.csv")}
    assert main(["evaluate", "-m", model, *cohort, "--card"]) == 0
    card = json.loads((Path(model) / "card.json").read_text(encoding="utf-8"))
    assert card["scores"]["cases"] == ["case0", "case1"]
    assert card["robustness"]["axis order"] == 0
    assert card["title"] == "Threshold"
    assert {file: (Path(model) / file).read_bytes() for file in before} == before
    assert "2 cases" in capsys.readouterr().out


def test_evaluate_says_before_the_work_that_the_report_has_no_place(model, cohort, tmp_path, capsys):
    message = refused(capsys, "evaluate", "-m", model, *cohort, "--json", tmp_path / "nowhere" / "report.json")
    assert "There is no folder" in message


def test_evaluate_names_files_without_a_partner(model, cohort, tmp_path, capsys):
    (tmp_path / "labels" / "case1.nrrd").unlink()
    assert "images without labels: case1" in refused(capsys, "evaluate", "-m", model, *cohort)


# --- train, import-reference, bench, demo: options reach the function that does the work ---


@pytest.mark.parametrize("command", ["train", "import-reference"])
def test_without_torch_it_is_said_how_to_install_it(monkeypatch, capsys, command, cohort, tmp_path):
    monkeypatch.setattr("MedNCALib.commands.torch_needed.find_spec", lambda name: None)
    arguments = {
        "train": cohort,
        "import-reference": ["one.pth", "two.pth", "--size", "64", "--steps", "16"],
    }[command]
    message = refused(capsys, command, *arguments, "-o", tmp_path / "model")
    assert "pip install torch" in message


def test_train_passes_its_options_on(monkeypatch, capsys, cohort, tmp_path):
    training = pytest.importorskip("MedNCALib.training", reason="needs torch")
    given = {}

    def train(images, labels, output, **options):
        given.update(options, images=images, labels=labels, output=output)
        return threshold_model().save(output)

    monkeypatch.setattr(training, "train", train)
    options = ["--preset", "p", "--minutes", "2", "--seed", "7", "--from", "hippocampus-mr", "--resume"]
    assert main(["train", *cohort, "-o", str(tmp_path / "m"), *options]) == 0
    assert callable(given.pop("report"))
    assert given == {
        "images": tmp_path / "images",
        "labels": tmp_path / "labels",
        "output": tmp_path / "m",
        "preset": "p",
        "minutes": 2.0,
        "batches": None,
        "seed": 7,
        "start_from": "hippocampus-mr",
        "resume": True,
    }
    assert "Threshold" in capsys.readouterr().out


def test_import_reference_passes_its_options_on(monkeypatch, capsys, tmp_path):
    pytest.importorskip("torch", reason="reading PyTorch checkpoints needs torch")
    from MedNCALib import reference

    given = []

    def import_reference(*arguments):
        given.extend(arguments)
        return threshold_model().save(tmp_path / "m")

    monkeypatch.setattr(reference, "import_reference", import_reference)
    options = ["-o", str(tmp_path / "m"), "--size", "64", "--steps", "16"]
    assert main(["import-reference", "one.pth", "two.pth", *options]) == 0
    assert given == [Path("one.pth"), Path("two.pth"), tmp_path / "m", 64, 16, 0.5]
    assert "Threshold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "arguments", "given"),
    [
        ("bench", [], {"json_file": None}),
        ("bench", ["--json", "speed.json"], {"json_file": Path("speed.json")}),
        ("demo", ["-o", "d"], {"output": Path("d"), "volume": None, "model": "hippocampus-mr"}),
        (
            "demo",
            ["-o", "d", "--volume", "v.nii", "-m", "other"],
            {"output": Path("d"), "volume": Path("v.nii"), "model": "other"},
        ),
    ],
)
def test_bench_and_demo_pass_their_options_on(monkeypatch, command, arguments, given):
    passed = {}

    def run(output=None, **options):
        passed.update(options, **({} if output is None else {"output": output}))

    module = ModuleType(command)
    module.run = run
    monkeypatch.setitem(sys.modules, f"MedNCALib.{command}", module)
    monkeypatch.setattr("MedNCALib." + command, module, raising=False)
    assert main([command, *arguments]) == 0
    assert passed == given


def test_train_takes_minutes_or_batches_not_both(capsys, cohort, tmp_path):
    options = ["-o", tmp_path / "m", "--minutes", "1", "--batches", "5"]
    assert "not allowed with" in refused(capsys, "train", *cohort, *options)


def test_the_entry_point_and_the_packages_are_those_that_exist():
    tomllib = pytest.importorskip("tomllib")
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["scripts"]["mednca"] == "MedNCALib.cli:main"
    listed = set(settings["tool"]["setuptools"]["packages"]) - {"MedNCALib.weights"}
    found = {
        ".".join(init.parent.relative_to(REPOSITORY).parts) for init in REPOSITORY.glob("MedNCALib/**/__init__.py")
    }
    assert listed == found
