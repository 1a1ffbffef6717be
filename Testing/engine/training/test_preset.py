"""Presets: what files say, in today's words and in those of earlier versions, and what is refused."""

import json

import pytest
from support.shared_data import REPOSITORY

from MedNCALib.errors import TrainingError

pytest.importorskip("torch", reason="training needs torch")

from MedNCALib.training.preset import Preset, load_preset, preset_names

TODAY = {
    "finish": "final_phase",
    "finish_augmentation": "final_phase_augmentation",
    "supervision": "deep_supervision_weight",
    "dice_over": "dice_reduction",
    "averaging": "ema_decay",
    "jitter": "step_jitter",
    "rest": "persistence",
    "foreground": "foreground_share",
    "small_first": "area_exponent",
}


@pytest.fixture
def settings():
    """Those of a bundled preset."""
    path = REPOSITORY / "MedNCALib" / "training" / "presets" / "hippocampus-mr.json"
    return json.loads(path.read_text(encoding="utf-8"))


def written(tmp_path, settings):
    path = tmp_path / "preset.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", preset_names())
def test_a_bundled_preset_loads_and_builds_its_parts(name):
    preset = load_preset(name)
    assert preset.architecture_for(3).label_count == 3
    assert preset.preprocessing.slice_format((1.5, 1.5, 3.0)).axes == preset.preprocessing.axes
    assert preset.augmentation_at(1.0) == preset.final_phase_augmentation


def test_the_general_preset_is_among_them():
    assert "general" in preset_names()


def test_keys_of_earlier_versions_give_the_same_preset(settings, tmp_path):
    old = {{new: old for old, new in TODAY.items()}.get(key, key): value for key, value in settings.items()}
    assert set(TODAY) <= set(old)
    assert load_preset(written(tmp_path, old)) == load_preset("hippocampus-mr")


def test_a_key_and_its_earlier_name_contradict_each_other(settings, tmp_path):
    with pytest.raises(TrainingError, match="ema_decay is given twice, once by its earlier name averaging"):
        load_preset(written(tmp_path, {**settings, "averaging": 0.9}))


def test_a_preset_survives_the_way_to_json_and_back(settings):
    preset = Preset.from_json(settings)
    assert Preset.from_json(json.loads(json.dumps(preset.to_json()))) == preset


def test_windows_of_any_size_and_sides_survive_the_way_to_json_and_back(settings):
    settings.update(crops=[[[24, 96], 40], None, [16, 16]], mirrored_labels=[[1, 2]])
    preset = Preset.from_json(settings)
    assert preset.crops[0] == ((24, 96), 40)
    assert Preset.from_json(json.loads(json.dumps(preset.to_json()))) == preset


def test_in_the_final_phase_only_what_the_preset_names_differs(settings):
    settings.update(augmentation={"rotation": 15, "noise": 0.25}, final_phase_augmentation={"rotation": 10})
    settings["final_phase"] = 0.25
    preset = Preset.from_json(settings)
    assert (preset.augmentation_at(0.5).rotation, preset.augmentation_at(0.5).noise) == (15, 0.25)
    assert (preset.augmentation_at(0.8).rotation, preset.augmentation_at(0.8).noise) == (10, 0.25)


def test_a_spacing_may_be_that_of_the_data(settings):
    settings["collections"] = []
    settings["preprocessing"]["spacing"] = ["median", 2.0, None]
    preprocessing = Preset.from_json(settings).preprocessing
    assert preprocessing.needs_median
    assert preprocessing.slice_format((1.5, 1.25, 3.0)).spacing == (1.5, 2.0, None)


def test_more_labels_than_the_channels_hold_are_refused(settings):
    with pytest.raises(TrainingError, match="does not fit the 30 labels of the data"):
        Preset.from_json(settings).architecture_for(30)


def test_labels_that_mirroring_exchanges_must_be_there(settings):
    preset = Preset.from_json({**settings, "mirrored_labels": [[1, 3]]})
    assert preset.mirrored_target(4) == [2, 1, 0, 3]
    assert preset.architecture_for(3).label_count == 3
    with pytest.raises(TrainingError, match="mirrored_labels name label 3 of 2"):
        preset.architecture_for(2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crops": [None]}, "one entry a stage"),
        ({"crops": [None, None, [32, 41]]}, "multiples of the scale 2"),
        ({"crops": [[[8, 41], 40], None, None]}, "multiples of the scale 4"),
        ({"crops": [[[40, 8], 40], None, None]}, "a range must run from the smallest to the largest"),
        ({"mirrored_labels": [[1]]}, "each of mirrored_labels must be a list of 2 entries"),
        ({"mirrored_labels": [[0, 1]]}, "a label of mirrored_labels must be a whole number of at least 1"),
        ({"mirrored_labels": [[1, 2], [2, 3]]}, "mirrored_labels must name each label once"),
        ({"label_weights": [1, -1]}, "a weight of label_weights must be at least 0"),
        ({"label_weights": [1, 2, 3]}, "one weight for each of the 2 labels, or none"),
        ({"stage_starts": [0, 0.5]}, "stage_starts must have one entry a stage, 3, or none"),
        ({"stage_starts": [0, 0.5, 0.4]}, "stage_starts must rise from 0"),
        ({"stage_starts": [0.1, 0.5, 0.6]}, "stage_starts must rise from 0"),
        ({"stage_starts": [0, 0.5, 2]}, "a share of stage_starts must be from 0 to 1"),
        ({"canvas": [40, 54]}, "multiples of the scale 4"),
        ({"canvas": [40]}, "canvas must be a list of 2 entries"),
        ({"leave_out": "case_("}, "'case_.' is not a regular expression"),
        ({"dice_reduction": "volume"}, "dice_reduction must be one of batch, slice"),
        ({"dice_reduction": "batch", "false_weight": 1}, "false_weight must be 0 if dice_reduction is batch"),
        ({"augmentation": {"emptied": 2}}, "emptied must be from 0 to 1"),
        ({"persistence": 1.5}, "persistence must be from 0 to 1"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"momentum": 0.9}, "keys that are not known: momentum"),
        ({"augmentation": {"blurring": 2}}, "keys that are not known: blurring"),
        ({"augmentation": {"mirror": "yes"}}, "mirror must be true or false"),
        ({"architecture": {"outputs": 3}}, "must not give outputs"),
        ({"preprocessing": {"axes": "PIL"}}, "lacks spacing, normalisation"),
    ],
)
def test_settings_that_make_no_training_are_refused_with_the_reason(settings, tmp_path, changes, message):
    with pytest.raises(TrainingError, match=f"preset.json cannot be read: .*{message}"):
        load_preset(written(tmp_path, {**settings, **changes}))


def test_a_preset_without_a_setting_is_refused(settings, tmp_path):
    del settings["batches"]
    with pytest.raises(TrainingError, match="the preset lacks batches"):
        load_preset(written(tmp_path, settings))


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_file_that_is_no_preset_is_refused(tmp_path, text):
    (tmp_path / "preset.json").write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match=r"preset\.json cannot be read"):
        load_preset(str(tmp_path / "preset.json"))
