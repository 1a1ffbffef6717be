"""A model that is adapted keeps the finder and the hints of the one before, as far as they fit, and says so."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import SimpleITK as sitk
from support.head_model import LABELS, head, head_model
from support.obedient_model import obedient_model
from support.phantom_folders import write_phantoms
from support.random_models import random_model

from MedNCALib import load_model, make_phantom, segment
from MedNCALib.automaton.cascade import Cascade
from MedNCALib.automaton.hints import HintFormat
from MedNCALib.evaluation.perturbations import LabelledCase
from MedNCALib.imaging.labels import Label, write_labels
from MedNCALib.imaging.laterality import without_sides
from MedNCALib.model.card import Scores, TrainingHistory
from MedNCALib.model.model_archive import add_model, export_model

torch = pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training import propose_preset, train
from MedNCALib.training.adapting import keeps_finder, with_parts_of
from MedNCALib.training.network import Network
from MedNCALib.training.starting_model import label_sources, starting_model
from MedNCALib.training.widening import with_hints_of


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    """Folders of two heads that are larger than what the model expects, and of their labels without sides."""
    root = tmp_path_factory.mktemp("heads")
    folders = root / "images", root / "labels"
    for folder in folders:
        folder.mkdir()
    for number in range(2):
        image, labels = head(shift=(0, number, 0))
        for folder, each in zip(folders, (image, without_sides(labels))):
            sitk.WriteImage(each, str(folder / f"head_{number}.nii.gz"))
    return folders


@pytest.fixture
def quick_card(monkeypatch):
    """Figures that cost nothing."""
    monkeypatch.setattr(
        import_module("MedNCALib.training.train_model"),
        "measured_card",
        lambda model, *_: replace(model.card, scores=Scores(0.5)),
    )


def adapted(heads, folder, start, labels):
    """A model of these labels that two batches have changed, and the sentences before the first one."""
    folder.mkdir()
    write_labels(folder / "labels.csv", labels)
    said = []
    model = train(*heads, folder, preset="auto", batches=2, start_from=str(start), listen=said.append)
    return model, said[0].sentences


@pytest.mark.usefixtures("quick_card")
def test_a_model_of_the_same_labels_keeps_the_finder_on_the_way_through_a_zip_file_too(heads, tmp_path):
    start = head_model(tmp_path)
    model, sentences = adapted(heads, tmp_path / "new", start.folder, LABELS)
    assert any(sentence.startswith("2 of 2 cases are larger than what head-blocks expects") for sentence in sentences)
    assert "finder is that of head-blocks" in model.card.training.remark
    log = (tmp_path / "new" / "training" / "log.csv").read_text(encoding="utf-8").splitlines()
    assert log[1].startswith("0,")  # the weights before are among those that may be the best
    added = add_model(export_model(model, tmp_path / "new.zip"), tmp_path / "elsewhere")
    for each in (model, load_model(tmp_path / "new"), added):
        assert each.finder.sha256 == start.finder.sha256
        assert each.card.finder == start.card.finder
        assert each.card.field_of_view_mm == start.card.field_of_view_mm
        assert [structure.side for structure in segment(head()[0], each).found] == ["left", "right"]


@pytest.mark.usefixtures("quick_card")
def test_a_model_of_other_labels_has_no_finder_and_its_card_says_so(heads, tmp_path):
    start = head_model(tmp_path)
    others = (Label(1, "head of the hippocampus"), Label(2, "tail of the hippocampus"))
    model, sentences = adapted(heads, tmp_path / "new", start.folder, others)
    assert model.finder is None
    assert not any("larger" in sentence for sentence in sentences)
    assert "Has no finder" in model.card.limits[-1]


@pytest.mark.parametrize("name", ["hippocampus-mr", "left-ventricle-cine-mr", "prostate-mr-t2"])
def test_each_bundled_model_can_learn_another_structure(name, tmp_path):
    start, labels = load_model(name), (Label(1, "another structure"),)
    phantom = make_phantom()
    preset = propose_preset([LabelledCase("phantom", phantom.image, phantom.labels == 1)], labels, start).preset
    model = starting_model(preset, tmp_path, labels, start.slice_format, 0, start)
    network = Network(model.cascade.architecture)
    network.load_rules(model.cascade.rules)
    for one, other in zip(network.to_cascade().rules, model.cascade.rules):
        for key, array in vars(other).items():
            np.testing.assert_array_equal(getattr(one, key), array)


def test_labels_begin_as_those_of_their_names_else_in_their_order_else_as_the_mean_of_all():
    (first, second), new = LABELS, Label(3, "something else")
    assert label_sources(LABELS, [second, first]) == [[1], [0]]
    assert label_sources(LABELS, [second, new]) == [[1], [0, 1]]
    assert label_sources(LABELS, [Label(1, "Label 1"), Label(2, "Label 2")]) == [[0], [1]]
    assert label_sources(LABELS, [new]) == [[0, 1]]


@pytest.mark.usefixtures("quick_card")
def test_a_bundled_model_of_two_parts_is_adapted_to_one_label_in_another_order_or_not(tmp_path):
    folders = write_phantoms(tmp_path, 2, ".nii.gz", size=(8, 40, 28), spacing=(2.0, 1.5, 1.5))
    for number, names in enumerate((("posterior hippocampus", "anterior hippocampus"), ("hippocampus",))):
        output = tmp_path / f"new{number}"
        output.mkdir()
        write_labels(output / "labels.csv", [Label(value, name) for value, name in enumerate(names, 1)])
        if len(names) == 1:
            for path in folders[1].iterdir():
                sitk.WriteImage(sitk.Cast(sitk.ReadImage(str(path)) > 0, sitk.sitkUInt8), str(path))
        said = []
        model = train(*folders, output, preset="auto", batches=1, start_from="hippocampus-mr", listen=said.append)
        assert any("which fits the cases best" in text for text in said[0].sentences)
        assert not model.card.protocols
        assert [label.name for label in model.labels] == [*names]
        assert model.finder is not None
        before = load_model("hippocampus-mr").cascade.without_hints
        first = before.architecture.first_hidden - 2
        old, new = before.rules[0].update[first : first + 2], model.cascade.without_hints.rules[0].update[first]
        expected = old[1] if len(names) == 2 else old.mean(axis=0)
        assert np.corrcoef(new, expected)[0, 1] > 0.99


def test_one_label_that_is_called_as_what_is_found_keeps_the_finder():
    model = head_model()
    assert keeps_finder(model, [Label(1, "Hippocampus")])
    assert keeps_finder(model, LABELS[::-1])
    assert not keeps_finder(model, LABELS[:1])
    assert not keeps_finder(head_model(with_finder=False), LABELS)


def test_weights_that_read_hints_are_put_back_as_they_were():
    hinted = random_model(channels=16, hints=HintFormat(2, 1.5)).cascade
    same = with_hints_of(hinted.without_hints, hinted, [[0], [1]])
    assert same.architecture == hinted.architecture
    fixed = hinted.architecture.fixed_channels  # what the hints write is never used
    for one, other in zip(same.rules, hinted.rules):
        np.testing.assert_array_equal(one.perception, other.perception)
        np.testing.assert_array_equal(one.hidden, other.hidden)
        np.testing.assert_array_equal(one.update[fixed:], other.update[fixed:])


def test_a_label_that_began_as_the_mean_of_others_reads_the_mean_of_their_hints():
    hinted = random_model(channels=16, hints=HintFormat(2, 1.5)).cascade
    plain = hinted.without_hints
    one = replace(plain.architecture, channels=plain.architecture.channels - 1, outputs=2)
    plain = Cascade(one, tuple(rule.without_channels(range(5, 6)) for rule in plain.rules))  # image, outputs, ...
    rule = with_hints_of(plain, hinted, [[0, 1]]).rules[0]
    for kind in (0, 1):  # what is said, what is present
        old = hinted.rules[0].hidden[:, 3 + 3 * kind : 6 + 3 * kind]
        new = rule.hidden[:, 3 + 2 * kind : 5 + 2 * kind]
        np.testing.assert_allclose(new, np.stack([old[:, 0], old[:, 1:].mean(axis=1)], axis=1), atol=1e-6)


@pytest.mark.parametrize("helps", [True, False])
def test_hints_are_kept_only_if_growing_again_is_worth_more_than_painting(helps, tmp_path):
    start = obedient_model()
    if not helps:
        rule = start.cascade.rules[0]
        deaf = replace(rule, hidden=np.where(np.arange(10 + 3) < 10, rule.hidden, 0).astype(np.float32))
        start = replace(start, cascade=Cascade(start.cascade.architecture, (deaf,)))
    card = replace(start.card, training=TrainingHistory(started_from=start.name))
    trained = replace(start, cascade=start.cascade.without_hints, card=card)
    case = unlike_its_image()
    model = with_parts_of(start, trained, [case])
    assert model.can_regrow == helps
    assert load_model(model.save(tmp_path / "m").folder).can_regrow == helps
    (told,) = [model.card.training.remark] if helps else [model.card.limits[-1]]
    assert "after 3 corrections" in told
    assert "by painting alone" in told
    labels = [sitk.GetArrayFromImage(segment(case.image, each).labels) for each in (trained, model)]
    np.testing.assert_array_equal(*labels)
    nothing = with_parts_of(start, trained, [])
    assert not nothing.can_regrow
    assert "Takes no corrections to regrow" in nothing.card.limits[-1]


def unlike_its_image():
    """A case in which much more is labelled than the model takes for it by its brightness."""
    voxels, labels = np.zeros((9, 24, 24), np.float32), np.zeros((9, 24, 24), np.uint8)
    voxels[3:6, 8:12, 8:12], labels[2:7, 6:20, 6:14] = 50, 1
    voxels[3:6, 16:18, 16:18], labels[3:6, 16:18, 16:18] = 100, 2
    return LabelledCase("case", *(sitk.GetImageFromArray(each) for each in (voxels, labels)))
