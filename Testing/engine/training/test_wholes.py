"""Cases that know only the whole of several labels teach their sum."""

import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from support.phantom_folders import write_phantoms
from support.small_preset import write_small_preset

from MedNCALib import load_model, write_segmentation
from MedNCALib.errors import TrainingError
from MedNCALib.imaging.label_wholes import parts_of, split_wholes
from MedNCALib.imaging.labels import Label, read_labels, write_labels
from MedNCALib.model.card import Scores

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training import train
from MedNCALib.training.batch import known_on_both_sides
from MedNCALib.training.correction_rounds import _right_outputs
from MedNCALib.training.loss import dice_and_cross_entropy
from MedNCALib.training.preparation import prepare_cases, read_cases
from MedNCALib.training.preset import load_preset
from MedNCALib.training.validation import CasesValidation

ANTERIOR, POSTERIOR = Label(1, "anterior part"), Label(2, "posterior part")
SUM = Label(3, "Anterior part + posterior part")
PARENT = Label(3, "part")


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    """Six phantoms, of which the first two know only the whole, as value 3."""
    folders = write_phantoms(tmp_path_factory.mktemp("data"), 6, ".nii.gz", size=(8, 40, 28), spacing=(2.0, 1.5, 1.5))
    for number in range(2):
        path = str(folders[1] / f"case_{number}.nii.gz")
        sitk.WriteImage(sitk.Cast(3 * sitk.Cast(sitk.ReadImage(path) > 0, sitk.sitkUInt8), sitk.sitkUInt8), path)
    return folders


@pytest.fixture
def folders(phantoms, tmp_path):
    """The folders of images and of labels, of which the second may be changed."""
    return phantoms[0], Path(shutil.copytree(phantoms[1], tmp_path / "labels"))


@pytest.mark.parametrize("whole", [SUM, PARENT])
def test_a_label_is_the_whole_of_others_by_its_name(whole):
    labels = (ANTERIOR, POSTERIOR, whole)
    own, (found,) = split_wholes(labels, [{1, 2}, {3}])
    assert own == (ANTERIOR, POSTERIOR)
    assert (found.label, found.parts) == (whole, own)


def test_a_label_that_only_looks_like_a_whole_is_a_label():
    assert split_wholes((ANTERIOR, POSTERIOR, PARENT), [{1, 2, 3}]) == ((ANTERIOR, POSTERIOR, PARENT), ())
    assert not parts_of(Label(3, "art"), [ANTERIOR, POSTERIOR])
    assert not parts_of(PARENT, [ANTERIOR])
    assert not parts_of(Label(3, "CSF + air"), [ANTERIOR, POSTERIOR])
    with pytest.raises(TrainingError, match="no label 'middle part'"):
        parts_of(Label(3, "anterior part + middle part"), [ANTERIOR, POSTERIOR])


def test_a_table_among_the_labels_names_a_whole_and_it_is_said_before_the_first_batch(folders, tmp_path):
    write_labels(folders[1] / "labels.csv", [ANTERIOR, POSTERIOR, SUM])
    read = read_cases(*folders, tmp_path / "m")
    assert read.labels == (ANTERIOR, POSTERIOR)
    assert read.notes == (
        "2 of 6 cases have only Anterior part + posterior part (case_0, case_1), the whole of anterior part and "
        "posterior part: they teach where these are together, not which is which.",
    )
    prepared = prepare_cases(read, tmp_path / "m", load_preset("general"), 0)
    assert prepared.model.labels == (ANTERIOR, POSTERIOR)
    batch = prepared.sampler.draw_batch(0, np.random.default_rng(0))
    assert batch.wholes == ((0, 1),)
    known = {tuple(each) for each in batch.known.tolist()}
    assert known == {(True, True, False), (False, False, True)}
    whole_only = batch.known[:, 2]
    assert not batch.target[whole_only, :2].any()
    assert batch.target[whole_only, 2].any()
    assert not batch.target[~whole_only, 2].any()
    right = _right_outputs(batch.target, batch)
    assert set(np.unique(right[whole_only.numpy()])) == {-1, 0}  # nobody is told which part it is


def test_a_known_sum_teaches_neither_its_split_nor_that_it_is_background():
    logits = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    target = torch.zeros(2, 4, 8, 8)
    target[:, 3, 2:5, 2:5] = 1  # the sum of the first two labels; nothing is known of the third
    known = torch.tensor([[False, False, False, True]] * 2)
    loss = dice_and_cross_entropy(logits, target, "softmax", 1.0, "batch", known=known, wholes=((0, 1),))
    loss.backward()
    inside, outside = logits.grad[0, :, 3, 3], logits.grad[0, :, 0, 0]
    shares = logits.detach()[0, :, 3, 3].exp()
    assert inside[1] < 0
    assert inside[2] < 0
    assert float(inside[1] / inside[2]) == pytest.approx(float(shares[1] / shares[2]), rel=1e-3)
    assert outside[3] < 0  # it may be the third
    assert outside[1] > 0
    moved = logits.detach().clone()
    moved[:, 1:3] = moved[:, 1:3].logsumexp(dim=1, keepdim=True) - np.log(2)  # another split of the same sum
    other = dice_and_cross_entropy(moved, target, "softmax", 1.0, "batch", known=known, wholes=((0, 1),))
    assert float(other) == pytest.approx(loss.item(), rel=1e-5)


def test_samples_that_know_all_labels_teach_the_same_beside_a_whole():
    logits = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    target = torch.zeros(2, 2, 8, 8)
    target[:, 0, 2:5, 2:5] = target[:, 1, 5:7, 2:5] = 1
    plain = dice_and_cross_entropy(logits, target, "softmax", 1.0, "batch")
    known = torch.tensor([[True, True, False]] * 2)
    more = torch.cat([target, torch.zeros(2, 1, 8, 8)], dim=1)
    beside = dice_and_cross_entropy(logits, more, "softmax", 1.0, "batch", known=known, wholes=((0, 1),))
    assert float(beside) == pytest.approx(float(plain), rel=1e-5)


def test_of_what_mirroring_exchanges_both_are_known_or_neither():
    known = torch.tensor([[True, False, True, True, True], [True, True, False, True, False]])
    # Left and right change places; the whole of both stays, that of the left one and a third label does not.
    found = known_on_both_sides(known, [1, 0, 2, 3, 4], ((0, 1), (0, 2)))
    assert found.tolist() == [[False, False, True, True, False], [True, True, False, True, False]]


def test_in_validation_the_whole_counts_in_place_of_its_parts(folders, tmp_path):
    write_labels(folders[1] / "labels.csv", [ANTERIOR, POSTERIOR, SUM])
    read = read_cases(*folders, tmp_path / "m")
    cases = read.training[:1] + read.validation
    model = prepare_cases(read, tmp_path / "m", load_preset("general"), 0).model
    validation = CasesValidation(read.labels, cases, read.wholes)
    found = validation(model)
    assert set(found.dice) == {"anterior part", "posterior part", SUM.name}
    only = CasesValidation(read.labels, cases[:1], read.wholes)(model)
    assert only.dice == {SUM.name: pytest.approx(only.whole)}


def test_a_training_with_segments_called_as_the_whole_is_stopped_and_goes_on(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(
        import_module("MedNCALib.training.train_model"),
        "measured_card",
        lambda model, *_: replace(model.card, scores=Scores(0.5, {label.name: 0.5 for label in model.labels})),
    )
    for path in sorted(folders[1].iterdir()):
        labels = sitk.ReadImage(str(path))
        used = set(np.unique(sitk.GetArrayViewFromImage(labels)).tolist())
        named = [label for label in (ANTERIOR, POSTERIOR, PARENT) if label.value in used]
        write_segmentation(folders[1] / path.name.replace(".nii.gz", ".seg.nrrd"), labels, named)
        path.unlink()
    preset = write_small_preset(tmp_path / "tiny.json")
    train(*folders, tmp_path / "m", preset=preset, batches=2)
    assert read_labels(tmp_path / "m" / "labels.csv") == load_model(tmp_path / "m").labels
    model = train(*folders, tmp_path / "m", preset=preset, batches=4, resume=True)
    assert [label.name for label in model.labels] == ["anterior part", "posterior part"]
