"""Learning without a panel: what is checked, what is written for the training, and what comes of it."""

import types

import pytest
import SimpleITK as sitk
from support.brightness_model import MODULE, boxes_image, truth_of
from support.fake_training import use_fake_training
from support.learning import add_case
from support.scene_assertions import add_transform, add_volume
from support.threshold_model import threshold_model

from MedNCALib.errors import MedNCAError
from MedNCALib.imaging.labels import read_labels
from MedNCALib.io.image_label_pairs import find_pairs, read_pair
from MedNCALib.model.model import load_model

KNEE = "Segmentation category and type - 3D Slicer General Anatomy list~SCT^123037004^Anatomical Structure~"
KNEE += "SCT^72696002^Knee~SCT^7771000^Left~Anatomic codes - DICOM master list~^^~^^"


@pytest.fixture
def logic(host, tmp_path, monkeypatch):
    host.loadModule(MODULE)
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path))
    use_fake_training(monkeypatch, tmp_path)
    from MedNCA import MedNCALogic

    return MedNCALogic()


@pytest.fixture
def cases(logic):
    return [add_case(f"head {number}") for number in (1, 2)]


def findings(pairs, **naming):
    from MedNCAScene.learning.case_checks import check
    from MedNCAScene.learning.cases import Naming
    from MedNCAScene.training_run import casesOf

    return [(finding.text, finding.isInTheWay) for finding in check(casesOf(pairs), Naming(**naming))]


def written_pairs(folder, name="boxes"):
    cases = folder / ".learning" / name / "cases"
    return find_pairs(cases / "images", cases / "labels"), read_labels(cases.parent / "labels.csv")


def test_train_returns_the_model_and_leaves_the_scene_as_it_is(logic, cases, tmp_path):
    import slicer

    before = slicer.mrmlScene.GetNumberOfNodes()
    model = logic.train(cases, "boxes", minutes=0.1, startFrom=None, limits="Boxes only.")
    assert slicer.mrmlScene.GetNumberOfNodes() == before
    assert model.folder == tmp_path / "boxes"
    assert load_model("boxes").card.limits[-1] == "Boxes only."
    assert sorted(path.name for path in model.folder.iterdir()) == ["card.json", "labels.csv", "weights.npz"]
    assert logic.trainingOutcome.heldOut.cases == ("head-1",)
    with pytest.raises(MedNCAError, match="There is a model boxes already"):
        logic.train(cases, "boxes", minutes=0.1)


def test_cases_are_written_as_they_are_drawn(logic, cases, tmp_path):
    logic.train(cases, "boxes", minutes=0.1)
    pairs, labels = written_pairs(tmp_path)
    assert [pair.name for pair in pairs] == ["head-1", "head-2"]
    assert [label.name for label in labels] == ["bright box", "middle box"]
    image, drawn = read_pair(pairs[0], labels)
    expected = boxes_image()
    assert image.GetOrigin() == pytest.approx(expected.GetOrigin())
    assert (sitk.GetArrayFromImage(image) == sitk.GetArrayFromImage(expected)).all()
    assert (sitk.GetArrayFromImage(drawn) == truth_of(expected)).all()


def test_colour_and_terminology_are_taken_over(logic, cases, tmp_path):
    segment = cases[0][1].GetSegmentation().GetNthSegment(0)
    segment.SetColor(1.0, 0.5, 0.0)
    segment.SetTag(segment.GetTerminologyEntryTagName(), KNEE)
    logic.train(cases, "boxes", minutes=0.1, names={"bright box": "knee"})
    knee = load_model("boxes").labels[0]
    assert (knee.name, knee.color) == ("knee", (255, 128, 0))
    assert knee.terminology["type"].meaning == "Knee"
    assert knee.terminology["type_modifier"].meaning == "Left"


def test_what_a_model_has_made_on_a_side_is_learned_as_its_label(logic, cases):
    from MedNCAScene.derived_nodes import MODEL_TAG
    from MedNCAScene.learning.cases import Naming, labelsOf, namesWithoutSide
    from MedNCAScene.training_run import casesOf

    segmentation = cases[0][1].GetSegmentation()
    for segment in (segmentation.GetNthSegment(number) for number in range(2)):
        segment.SetName(f"left {segment.GetName()}")
        segment.SetTag(MODEL_TAG, "some")
        segment.SetTag(segment.GetTerminologyEntryTagName(), KNEE)
    (case,) = casesOf(cases[:1])
    names = namesWithoutSide([case])
    assert names == {"left bright box": "bright box", "left middle box": "middle box"}
    assert "type_modifier" in labelsOf([case], Naming())[0].terminology
    assert [label.name for label in labelsOf([case], Naming(names))] == ["bright box", "middle box"]
    assert "type_modifier" not in labelsOf([case], Naming(names))[0].terminology


def test_a_segmentation_under_another_transform_is_written_where_it_is_seen(logic, cases, tmp_path):
    _volume, segmentation = cases[0]
    transform = add_transform(translation=(3.0, 0.0, 0.0))
    segmentation.SetAndObserveTransformNodeID(transform.GetID())
    logic.train(cases, "boxes", minutes=0.1)
    pairs, labels = written_pairs(tmp_path)
    drawn = sitk.GetArrayFromImage(read_pair(pairs[0], labels)[1])
    # 3 mm to the right are 3 voxels back along the columns, which run to the left at 1 mm.
    expected = truth_of(boxes_image())
    assert (drawn[:, :, :-3] == expected[:, :, 3:]).all()


def test_a_case_without_a_segment_does_not_name_it(logic, cases, tmp_path):
    from MedNCALib.io.segmentation_file import read_segments

    cases[1][1].GetSegmentation().RemoveSegment(cases[1][1].GetSegmentation().GetNthSegmentID(1))
    assert findings(cases)[0] == (
        "middle box is drawn in 1 of 2 cases: the others teach only what they have.",
        False,
    )
    logic.train(cases, "boxes", minutes=0.1)
    pairs, _labels = written_pairs(tmp_path)
    assert [sorted(label.name for label in read_segments(pair.label).values()) for pair in pairs] == [
        ["bright box", "middle box"],
        ["bright box"],
    ]


def adapted_channels(pairs, start, names):
    """Channels of the network that is proposed to adapt a model to some cases."""
    from MedNCAScene.learning.cases import Naming
    from MedNCAScene.learning.choices import proposal
    from MedNCAScene.training_run import casesOf

    return proposal(casesOf(pairs), Naming(names), start).settings["architecture"]["channels"]


@pytest.mark.parametrize("name", ["box", "bright box + middle box"])
def test_a_segment_called_as_the_whole_of_others_is_taken_for_that(logic, cases, name):
    segmentation = cases[1][1].GetSegmentation()
    segmentation.RemoveSegment(segmentation.GetNthSegmentID(1))
    segmentation.GetNthSegment(0).SetName("all of it")
    (text, _isInTheWay), *_more = findings(cases, names={"all of it": name})
    assert text == (
        f"1 of 2 cases have only {name}, the whole of bright box and middle box: they teach where these are together, "
        "not which is which."
    )
    assert adapted_channels(cases, threshold_model(), {"all of it": name}) == 4
    wrong = findings(cases, names={"all of it": "bright box + small box"})
    assert "there is no label 'small box'" in wrong[0][0]
    assert wrong[0][1]


def test_checks_speak_in_sentences(logic, cases):
    assert findings([]) == [("There is no case to learn from: choose at least one segmentation with its volume.", True)]
    assert findings(cases[:1])[-1][0].startswith("There is one case: some of its slices are kept aside")
    assert findings(cases, leftOut=frozenset({"bright box", "middle box"}))[0] == (
        "No segment is chosen: tick at least one, and give it a name.",
        True,
    )
    alike = findings(cases, names={"bright box": "box/1", "middle box": "box 1"})
    assert alike[0] == ("The names box/1 and box 1 are too much alike: rename one.", True)
    assert findings([cases[0], cases[0]])[0] == (
        "head 1 is there twice: take out one of its segmentations.",
        True,
    )


def test_an_empty_segment_and_other_grids_are_said(logic, cases):
    segmentation = cases[0][1].GetSegmentation()
    segmentation.ClearSegment(segmentation.GetNthSegmentID(1))
    texts = [text for text, _isInTheWay in findings(cases)]
    assert "middle box is empty in head 1: the case teaches nothing of it." in texts
    segmentation.ClearSegment(segmentation.GetNthSegmentID(0))
    assert ("head 1 has no voxel of what is to be learned: take it out.", True) in findings(cases)
    other = add_volume(boxes_image(size=(10, 12, 8), spacing=(2.0, 3.0, 4.0)), "coarse")
    texts = [text for text, _isInTheWay in findings([cases[1], (other, add_case("head 3")[1])])]
    assert "head 3 drawn was drawn on another grid than coarse: it is resampled to that one." in texts
    assert "The volumes have different spacings: all are resampled to the usual one of them." in texts


def test_a_generator_that_is_closed_leaves_a_training_that_can_go_on(logic, cases):
    steps = logic.trainSteps(cases, "boxes", minutes=0.5)
    for step in steps:
        if step.history.seconds >= 5:
            break
    steps.close()
    for step in logic.continueTrainingSteps("boxes"):
        first = step.history.seconds
        assert first >= 5
    assert logic.trainingOutcome.history.seconds == 30
    with pytest.raises(MedNCAError, match="There is no training of other"):
        next(logic.continueTrainingSteps("other"))


def test_one_training_at_a_time(logic, cases):
    steps = logic.trainSteps(cases, "boxes", minutes=5)
    next(steps)
    with pytest.raises(MedNCAError, match="A training is on already"):
        next(logic.trainSteps(cases, "other"))
    steps.close()


def test_a_plain_choice_becomes_a_preset(logic, cases, tmp_path):
    import json

    logic.train(cases, "boxes", minutes=0.1, preset="general", slices="PIL", mirror=False)
    settings = json.loads((tmp_path / ".learning" / "boxes" / "preset.json").read_text())
    assert settings["preprocessing"]["axes"] == "PIL"
    assert settings["augmentation"]["mirror"] is False


def test_without_pytorch_a_training_is_refused(logic, cases, monkeypatch):
    from MedNCAScene.application import pytorch

    monkeypatch.setattr(pytorch, "find_spec", lambda name: None)
    with pytest.raises(MedNCAError, match="Training needs PyTorch, which is not installed"):
        logic.train(cases, "boxes")


def installed_by(monkeypatch, extension=None, packaging=None, folder=""):
    """What an installation has said last: why it failed, or nothing."""
    from MedNCAScene.application import pytorch

    ended = []
    monkeypatch.setattr(pytorch, "_extension", lambda: extension)
    monkeypatch.setattr(pytorch, "_packaging", lambda: packaging)
    pytorch.installTorch(lambda line: None, ended.append, folder)
    return ended


def test_pytorch_comes_through_the_extension_of_slicer_if_that_is_there(logic, monkeypatch):
    asked = []

    class Logic:
        def installTorch(self, **options):
            asked.append(options)

    assert installed_by(monkeypatch, extension=types.SimpleNamespace(PyTorchUtilsLogic=Logic)) == [""]
    assert asked == [{"askConfirmation": False, "forceComputationBackend": "cpu", "torchVersionRequirement": ">=2.9"}]


def test_pytorch_comes_through_pip_in_an_older_slicer_and_from_a_folder(logic, monkeypatch):
    import slicer

    asked = []
    monkeypatch.setattr(slicer.util, "pip_install", asked.append, raising=False)
    assert installed_by(monkeypatch, folder="/stick/torch-files") == [""]
    assert asked == [["torch>=2.9", "--no-index", "--find-links", "/stick/torch-files"]]

    def fail(_requirements):
        raise RuntimeError("no route to host")

    monkeypatch.setattr(slicer.util, "pip_install", fail)
    assert installed_by(monkeypatch) == ["PyTorch could not be installed: no route to host."]
