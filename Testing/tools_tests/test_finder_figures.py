"""The tables of what a finder finds: on made-up heads whose results are known, and heads drawn from a made-up map."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from support.collection_folders import write_collections
from support.head_model import BRAIN, head, head_model
from support.shared_data import REPOSITORY

pytest.importorskip("torch", reason="training needs torch")

from tools import finder_conditions, finder_figures

from MedNCALib.training.preset import load_preset

PRESET = REPOSITORY / "MedNCALib" / "training" / "presets" / "hippocampus-finder.json"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Runs the tool on one reporting head, and gives the cells of the rows of its tables by their first."""
    folder = tmp_path_factory.mktemp("finder")
    image, labels = head()
    labels = sitk.Mask(labels, (image != BRAIN) | (labels > 0), 1)
    for number in range(3):
        for kind, voxels in (("images", image), ("labels", labels)):
            (folder / "head" / kind).mkdir(parents=True, exist_ok=True)
            sitk.WriteImage(voxels, str(folder / "head" / kind / f"head{number}.nii.gz"))
    settings = json.loads(PRESET.read_text(encoding="utf-8"))
    (collection,) = (each for each in settings["collections"] if each["name"] == "MUSE")
    collection.update(structures=[["11-12", "21-22", 1]], choosing=["head0"], reporting=["head1"])
    settings.update(collections=[collection], batch_size=4)
    (folder / "preset.json").write_text(json.dumps(settings), encoding="utf-8")
    model = head_model(folder)

    def run(capsys, *only):
        options = ["--preset", str(folder / "preset.json"), "--protocol", "auto", "--only", *only]
        finder_figures.main([str(model.folder), str(folder), *options])
        lines = [line for line in capsys.readouterr().out.splitlines() if line and not line.startswith("|---")]
        return {cells[0]: cells[1:] for cells in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)}

    return run


def test_both_hippocampi_of_a_head_as_it_is_are_found(rows, capsys):
    found = rows(capsys, "as they are", "labels")
    labels = ["left hippocampus", "right hippocampus", "brain"]
    assert [*found] == ["label of the finder", *labels, "images", "as they are"]
    assert all(float(found[name][0]) > 0.7 for name in labels)
    volumes, known, right, false, mean_mm, largest_mm, error = found["as they are"]
    assert (volumes, known, right, false) == ("1", "2", "2", "0")
    assert float(mean_mm) <= float(largest_mm) < 3
    assert error == "-"  # the brain is smaller than what counts


def test_what_is_larger_and_elsewhere_is_false_and_its_side_is_not_found(rows, capsys):
    name = "rotated by 30 degrees about left"
    found = rows(capsys, name)  # the corners that the rotation leaves empty are as dark as the right hippocampus
    volumes, known, right, false, *_ = found[name]
    assert (volumes, known, right) == ("1", "2", "1")
    assert int(false) > 1


def test_how_sure_the_engine_is_of_what_it_finds(rows, capsys):
    found = rows(capsys, "sure")
    volumes, sides, mean, lowest, noted = found["as they are"]
    assert (volumes, sides, noted) == ("1", "2", "0")
    assert 0.7 < float(lowest) <= float(mean) <= 1
    for name in found.keys() - {"images"}:
        _, sides, mean, *_ = found[name]
        assert (mean == "-") == (sides == "0")


def test_the_whole_way_ends_near_the_result_in_a_placed_box(rows, capsys):
    found = rows(capsys, "whole way")
    assert found.keys() == {"images", "MUSE, heads"}
    sides, through, worst, placed, _, error = found["MUSE, heads"]
    assert sides == "2"
    assert 0.9 < float(worst) <= float(through)
    assert abs(float(through) - float(placed)) < 0.02
    assert float(error) < 10


@pytest.mark.parametrize(("kind", "is_brighter"), [("T1-like", False), ("T2-like", True), ("FLAIR-like", True)])
def test_a_drawn_head_has_the_contrast_of_its_kind(tmp_path, kind, is_brighter):
    settings = json.loads(PRESET.read_text(encoding="utf-8"))
    settings["collections"][1].update(labels="maps", subject="\\d+$", choosing=["0"], reporting=["1"])
    (tmp_path / "preset.json").write_text(json.dumps(settings), encoding="utf-8")
    collection = load_preset(str(tmp_path / "preset.json")).collections[1]
    maps = finder_conditions.read_maps(collection, write_collections(tmp_path))
    assert [name for name, _ in maps] == ["map_1", "map_0"]
    for case in finder_conditions.drawn_heads(maps, collection, kind, seeds=[0]):
        voxels, labels = (sitk.GetArrayViewFromImage(each) for each in (case.image, case.labels))
        assert {*np.unique(labels)} == {0, 1, 3}
        assert (voxels[labels == 1].mean() > voxels[labels == 3].mean()) == is_brighter
