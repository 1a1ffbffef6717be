"""A training that is looked at, stopped and gone on with; one case, and cases that lack a label."""

import json
import shutil
import time
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import SimpleITK as sitk
from support.phantom_folders import write_phantoms
from support.small_preset import fill_cards_unmeasured, write_small_preset

from MedNCALib import load_model, read_image
from MedNCALib.cli.commands.training_progress import MinuteLines
from MedNCALib.cli.main import main
from MedNCALib.errors import TrainingError
from MedNCALib.evaluation.perturbations import LabelledCase
from MedNCALib.imaging.slice_format import SliceFormat

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.model.card import Scores
from MedNCALib.training import train
from MedNCALib.training.events import Advanced, Ended, Measuring, PreviewWritten, Proposed, Started, ValidationDone
from MedNCALib.training.loss import dice_and_cross_entropy
from MedNCALib.training.preparation import read_cases
from MedNCALib.training.single_case import kept_aside


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three small synthetic phantoms with their labels."""
    return write_phantoms(tmp_path_factory.mktemp("data"), 3, ".nii.gz", size=(8, 40, 28), spacing=(2.0, 1.5, 1.5))


@pytest.fixture
def preset(tmp_path):
    return write_small_preset(tmp_path / "tiny.json")


@pytest.fixture(autouse=True)
def quick_card(monkeypatch):
    fill_cards_unmeasured(monkeypatch)


def one_case(folders, root):
    """Folders with the first case alone."""
    copies = root / "images", root / "labels"
    for folder, copy in zip(folders, copies):
        copy.mkdir(parents=True)
        shutil.copy(folder / "case_0.nii.gz", copy)
    return copies


def weights(model):
    return np.concatenate([array.ravel() for rule in model.cascade.rules for array in vars(rule).values()])


def test_a_stopped_training_keeps_the_best_and_goes_on_as_if_it_had_not_stopped(folders, preset, tmp_path):
    through = train(*folders, tmp_path / "through", preset=preset, batches=12, threads=2)
    events = []

    def stop():
        return any(isinstance(event, ValidationDone) and event.batch >= 5 for event in events)

    stopped = train(*folders, tmp_path / "m", preset=preset, batches=12, threads=2, listen=events.append, stop=stop)
    np.testing.assert_array_equal(weights(stopped), weights(load_model(tmp_path / "m")))
    assert isinstance(events[0], Started)
    assert events[0].cases == {"train": 2, "validation": 1}
    assert events[0].batches == 12
    *_, end = events
    assert end == Ended(True, str(tmp_path / "m"), 5, {"Label 1": 0.25, "Label 2": 0.75}, 0.5)
    kinds = {type(event) for event in events}
    assert kinds >= {Started, Advanced, ValidationDone, PreviewWritten, Measuring, Ended}
    shown = next(event for event in events if isinstance(event, PreviewWritten))
    assert read_image(shown.labels).GetSize() == read_image(shown.image).GetSize()
    asked = iter([False, True])
    options = {"preset": preset, "batches": 12, "threads": 2, "resume": True}
    train(*folders, tmp_path / "m", stop=lambda: next(asked), **options)
    resumed = train(*folders, tmp_path / "m", **options)
    np.testing.assert_array_equal(weights(resumed), weights(through))


def test_what_is_kept_aside_teaches_in_the_second_half_and_is_measured_before(folders, tmp_path, monkeypatch):
    measured = {}
    training = import_module("MedNCALib.training.train_model")

    def measure(model, cases, progress, before):
        measured[model.name] = before
        return replace(model.card, scores=Scores(0.5, {"Label 1": 0.25, "Label 2": 0.75}))

    monkeypatch.setattr(training, "measured_card", measure)
    preset = write_small_preset(tmp_path / "half.json", kept_aside_until=0.5)
    other = tmp_path / "other"  # the same but for the labels of the case that is kept aside, the third
    shutil.copytree(folders[1], other)
    labels = sitk.ReadImage(str(other / "case_2.nii.gz"))
    sitk.WriteImage(sitk.ChangeLabel(labels, {1: 2, 2: 1}), str(other / "case_2.nii.gz"))
    models = {}
    for name, folder in (("one", folders[1]), ("two", other)):
        events = []
        models[name] = train(folders[0], folder, tmp_path / name, preset=preset, batches=12, listen=events.append)
        validated = [event.batch for event in events if isinstance(event, ValidationDone)]
        assert validated[-1] == models[name].card.training.kept_aside_batches == 6
        assert load_model(tmp_path / name).card.training.kept_aside_batches == 6
    rows = [(tmp_path / name / "training" / "log.csv").read_text().splitlines()[1:] for name in models]
    learned = [[row.split(",")[3] for row in each] for each in rows]
    assert learned[0] == learned[1]  # the losses of the first half, in which the case is not learned from
    assert np.abs(weights(models["one"]) - weights(models["two"])).max() > 1e-4
    assert np.abs(weights(models["one"]) - weights(measured["one"])).max() > 1e-4


def test_a_training_that_is_killed_after_all_cases_teach_goes_on_with_all(folders, tmp_path):
    preset = write_small_preset(tmp_path / "half.json", kept_aside_until=0.5)
    options = {"preset": preset, "batches": 12, "threads": 2}
    through = train(*folders, tmp_path / "through", **options)
    asked = iter([False] * 8 + [True])
    stopped = train(*folders, tmp_path / "m", stop=lambda: next(asked), **options)
    assert stopped.card.training.batches == 8
    assert stopped.card.training.kept_aside_batches == 6
    np.testing.assert_array_equal(weights(stopped), weights(load_model(tmp_path / "m")))
    resumed = train(*folders, tmp_path / "m", resume=True, **options)
    np.testing.assert_array_equal(weights(resumed), weights(through))


def test_the_number_of_threads_changes_nothing_but_rounding(folders, preset, tmp_path):
    one, two = (
        weights(train(*folders, tmp_path / str(count), preset=preset, batches=4, threads=count)) for count in (1, 2)
    )
    np.testing.assert_allclose(one, two, atol=1e-3)


def test_a_training_that_is_stopped_before_it_begins_says_so(folders, preset, tmp_path):
    with pytest.raises(TrainingError, match="before its first batch"):
        train(*folders, tmp_path / "m", preset=preset, batches=5, stop=lambda: True)


def test_lines_of_json_say_what_goes_on_and_a_line_stops_it(folders, preset, tmp_path, monkeypatch, capsys):
    log = tmp_path / "m" / "training" / "log.csv"

    def lines():
        while not log.is_file() or len(log.read_text().splitlines()) < 2:  # until the first validation
            time.sleep(0.01)
        yield "stop\n"

    monkeypatch.setattr("sys.stdin", lines())
    options = ["--images", folders[0], "--labels", folders[1], "-o", tmp_path / "m", "--preset", preset]
    assert main([*map(str, ["train", *options]), "--minutes", "0.2", "--json-progress"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [event["event"] for event in events]
    assert (names[0], names[-1]) == ("start", "end")
    assert {"progress", "validation", "preview"} <= {*names}
    assert events[-1]["stopped"] is True
    assert set(events[-1]["dice"]) == {"Label 1", "Label 2"}


def test_without_a_terminal_a_line_a_minute_says_where_it_stands(capsys):
    now = iter([0.0, 20.0, 61.0, 100.0, 125.0])
    lines = MinuteLines(lambda: next(now))
    for number in range(4):
        lines.show(number / 10, f"batch {number}")
    said = capsys.readouterr().err.splitlines()
    assert said == ["mednca: 10% after 1 min: batch 1", "mednca: 30% after 2 min: batch 3"]


def test_one_case_is_validated_on_slices_that_training_never_sees(folders, preset, tmp_path):
    events = []
    model = train(*one_case(folders, tmp_path), tmp_path / "m", preset=preset, batches=4, listen=events.append)
    assert "only case" in events[0].sentences[-1]
    assert any(isinstance(event, ValidationDone) for event in events)
    image, labels = (sitk.ReadImage(str(folder / "case_0.nii.gz")) for folder in folders)
    aside = kept_aside(LabelledCase("case", image, labels), model.slice_format)
    numbers = aside.slices_of(8)
    assert aside.case.image.GetSize() == (len(numbers), 40, 28)
    shown = sitk.GetArrayFromImage(labels).any(axis=(0, 1)).nonzero()[0]
    assert 1 <= len(numbers) < len(shown)


def test_slices_that_are_kept_aside_are_those_of_the_image_whichever_way_it_is_stored():
    voxels = np.zeros((12, 4, 4), np.uint8)
    voxels[2:10] = np.arange(2, 10)[:, None, None]
    for axes, stored in (("LPS", voxels), ("LPI", voxels)):
        image = sitk.GetImageFromArray(stored)
        aside = kept_aside(LabelledCase("case", image, image), SliceFormat(axes, (None, None, None)))
        kept = np.unique(sitk.GetArrayFromImage(aside.case.image)).tolist()
        numbers = aside.slices_of(12) if axes == "LPS" else 11 - aside.slices_of(12)
        assert kept == sorted(numbers.tolist())


def test_a_case_that_lacks_a_label_is_named_and_teaches_nothing_of_it(folders, tmp_path):
    labels = tmp_path / "labels"
    shutil.copytree(folders[1], labels)
    partial = sitk.ReadImage(str(labels / "case_0.nii.gz"))
    sitk.WriteImage(sitk.Cast(partial == 1, sitk.sitkUInt8), str(labels / "case_0.nii.gz"))
    read = read_cases(folders[0], labels, tmp_path / "m")
    assert read.notes == ("1 of 3 cases lack Label 2 (case_0): they teach only what they have.",)
    logits = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.zeros(2, 2, 8, 8)
    target[:, 0, 2:5, 2:5] = 1
    known = torch.tensor([[True, False], [True, False]])
    dice_and_cross_entropy(logits, target, "softmax", 1.0, "batch", known=known).backward()
    outside = logits.grad[0, :, 0, 0]
    # Both are pushed up together, in proportion to what they have: whether it is background or the label is not known.
    assert outside[0] < 0
    assert outside[2] < 0
    shares = logits.detach()[0, :, 0, 0].exp()
    assert float(outside[0] / outside[2]) == pytest.approx(float(shares[0] / shares[2]), rel=1e-3)
    all_known = torch.ones(2, 2, dtype=torch.bool)
    plain, same = (
        dice_and_cross_entropy(logits.detach(), target, "softmax", 1.0, "batch", known=each)
        for each in (None, all_known)
    )
    assert float(plain) == pytest.approx(float(same), rel=1e-5)


def test_settings_that_are_proposed_are_trained_with(folders, tmp_path):
    events = []
    model = train(*folders, tmp_path / "m", preset="auto", batches=2, listen=events.append)
    assert isinstance(events[0], Proposed)
    assert model.slice_format.axes == "LPS"
    assert model.card.training.preset == "auto"
