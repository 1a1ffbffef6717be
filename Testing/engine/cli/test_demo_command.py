"""The demonstration without Slicer: files, pictures and what is printed."""

import io
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from support.command_line import refused
from support.random_models import random_model
from support.threshold_model import case, threshold_model

from MedNCALib import MedNCAError, list_models, load_model, make_phantom, read_image, segment
from MedNCALib.cli.main import main
from MedNCALib.cli.model_choice import model_for
from MedNCALib.segmentation.growth_animation import largest_slice, write_growth_gif, write_picture

PIL = pytest.importorskip("PIL.Image", reason="pictures need Pillow")


@pytest.fixture(scope="module")
def done():
    model = random_model()
    phantom = make_phantom(size=(20, 30, 24), spacing=(1.5, 1.5, 1.5))
    return model, phantom.image, segment(phantom.image, model).labels


def frames(path):
    with PIL.open(path) as gif:
        for index in range(gif.n_frames):
            gif.seek(index)
            yield np.asarray(gif.convert("RGB"), np.float32)


def colourfulness(picture):
    return np.abs(picture - picture.mean(axis=-1, keepdims=True)).mean()


def test_the_animation_has_a_frame_for_the_image_and_one_for_each_step(done, tmp_path):
    model, image, labels = done
    count = write_growth_gif(tmp_path / "growth.gif", image, labels, model)
    pictures = list(frames(tmp_path / "growth.gif"))
    steps = sum(stage.steps for stage in model.cascade.architecture.stages)
    assert len(pictures) == count == steps + 1
    assert colourfulness(pictures[0]) < 0.5  # grey
    assert colourfulness(pictures[-1]) > 2


def test_the_last_frame_shows_the_result_of_the_whole_volume(tmp_path):
    image, _ = case(size=(24, 20, 16))
    model = threshold_model()
    labels = segment(image, model, seed=4).labels
    write_growth_gif(tmp_path / "growth.gif", image, labels, model, seed=4)
    write_picture(tmp_path / "result.png", image, labels, model)
    *_, last = frames(tmp_path / "growth.gif")
    result = np.asarray(PIL.open(tmp_path / "result.png").convert("RGB"), np.float32)
    above_caption = np.s_[:-24]
    assert colourfulness(result[above_caption]) > 0.5
    assert np.abs(last - result)[above_caption].mean() < 8  # 64 colours, and probabilities just below one


def test_the_slice_that_is_shown_is_the_one_with_the_most_labels():
    labels = sitk.Image([9, 12, 10], sitk.sitkUInt8)  # LPS: the model's slices run to the left, as x does
    labels[6, 3:9, 2:8] = 1
    labels[2, 3:5, 2:8] = 2
    assert largest_slice(labels, random_model(), None) == 6
    assert largest_slice(labels * 0, random_model(), None) == 4


def test_the_demo_leaves_files_that_read_and_prints_the_dice(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 0
    printed = capsys.readouterr().out
    model = load_model("hippocampus-mr")
    assert f"{model.size_bytes / 1000:.0f} kB" in printed
    assert "synthetic phantom's truth: whole 0." in printed
    names = sorted(path.name for path in (tmp_path / "demo").iterdir())
    stem = "synthetic-phantom"
    assert names == [f"{stem}.nrrd", f"{stem}.png", f"{stem}_growth.gif", f"{stem}_hippocampus-mr.seg.nrrd"]
    image, labels = (read_image(tmp_path / "demo" / name) for name in (names[0], names[3]))
    assert image.GetSize() == labels.GetSize()


def test_the_demo_takes_a_volume_of_ones_own(tmp_path, capsys):
    sitk.WriteImage(make_phantom(size=(30, 40, 30)).image, str(tmp_path / "mein köpf.nii.gz"))
    options = ["--volume", str(tmp_path / "mein köpf.nii.gz"), "-m", "hippocampus-mr"]
    assert main(["demo", "-o", str(tmp_path / "demo"), *options]) == 0
    assert (tmp_path / "demo" / "mein köpf_hippocampus-mr.seg.nrrd").is_file()
    assert "truth" not in capsys.readouterr().out


def test_a_volume_is_segmented_by_the_model_that_fits_it(tmp_path, capsys):
    sitk.WriteImage(make_phantom(size=(30, 40, 30)).image, str(tmp_path / "block.nrrd"))
    assert main(["demo", "-o", str(tmp_path / "demo"), "--volume", str(tmp_path / "block.nrrd")]) == 0
    assert (tmp_path / "demo" / "block_hippocampus-mr.seg.nrrd").is_file()
    assert capsys.readouterr().err == ""


@pytest.fixture
def hounsfield(tmp_path):
    """A volume that none of the bundled models is for: its intensities are those of CT."""
    values = np.random.default_rng(0).normal(40, 20, (20, 30, 30))
    values[:, :8] = -1000
    image = sitk.GetImageFromArray(values.astype(np.int16))
    image.SetSpacing((6.0, 6.0, 5.0))
    sitk.WriteImage(image, str(tmp_path / "ct.nrrd"))
    return tmp_path / "ct.nrrd"


def test_a_volume_that_no_model_fits_is_refused_without_a_terminal(hounsfield, tmp_path, capsys):
    message = refused(capsys, "demo", "-o", tmp_path / "demo", "--volume", hounsfield)
    assert "No model seems to fit this volume: name the one to take with -m" in message
    assert "prostate-mr-t2" in message
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(("answer", "chosen"), [("1\n", 0), ("none\n9\n2\n", 1)])
def test_on_a_terminal_the_user_is_asked_which_model_to_take(monkeypatch, capsys, hounsfield, answer, chosen):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert model_for(read_image(hounsfield)).name == list_models()[chosen].name
    assert f"1 {list_models()[0].name}" in capsys.readouterr().err


def test_a_question_that_is_not_answered_is_refused(monkeypatch, hounsfield):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with pytest.raises(MedNCAError, match="name one with -m"):
        model_for(read_image(hounsfield))
