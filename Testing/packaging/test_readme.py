"""What README shows works as it is shown."""

import re
import shlex

import pytest
from support.shared_data import REPOSITORY

from MedNCALib.cli.main import _parser
from MedNCALib.imaging.phantom import make_phantom

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(set(re.findall(r"^mednca .*$", README, re.MULTILINE)))


def test_the_console_snippets_run_one_after_the_other(host, tmp_path, monkeypatch, capsys):
    import SimpleITK as sitk
    import slicer

    monkeypatch.setenv("HOME", str(tmp_path))
    host.loadModule(REPOSITORY / "MedNCA" / "MedNCA.py")
    volume = host.clickSample("MedNCA synthetic phantom")
    add_sequence("cine", volume, frames=2)
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        sitk.WriteImage(make_phantom(size=(24, 30, 24)).image, str(tmp_path / "images" / f"{name}.nrrd"))
    console = {"slicer": slicer}
    for snippet in SNIPPETS:
        exec(compile(snippet, "README.md", "exec"), console)
    segmentation = console["segmentationNode"].GetSegmentation()
    assert [segmentation.GetNthSegment(number).GetName() for number in range(2)] == [
        "anterior hippocampus", "posterior hippocampus",
    ]  # fmt: skip
    assert segmentation.ContainsRepresentation("Closed surface")
    written = {path.name for path in tmp_path.glob("*.*")}
    assert written == {"hippocampus.seg.nrrd", "growth.gif", "a.seg.nrrd", "b.seg.nrrd"}
    assert slicer.util.getNode("cine browser").GetNumberOfSynchronizedSequenceNodes() == 1  # besides the master
    assert console["chartNode"].GetNumberOfPlotSeriesNodes() > 2
    printed = capsys.readouterr().out
    assert "MedNCA synthetic phantom uncertainty" in printed
    assert "100%: stage 3 of 3, step 8 of 8" in printed
    assert console["result"].labels.GetSize() == console["mednca"].make_phantom().image.GetSize()


def add_sequence(name, volume, frames):
    """A volume of this name that plays copies of a volume from a sequence."""
    import slicer

    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    for number in range(frames):
        sequence.SetDataNodeAtValue(volume, str(number))
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{name} browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    sequence.SetName(f"{name} frames")
    browser.GetProxyNode(sequence).SetName(name)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_shown_is_understood(command):
    line = command.replace("...", "folder")
    assert _parser().parse_args(shlex.split(line)[1:]).run


def test_every_picture_and_file_that_is_named_is_there():
    links = re.findall(r"\]\(([^)]+)\)", README)
    local = [link for link in links if not link.startswith("http")]
    assert len(local) >= 3
    for link in local:
        assert (REPOSITORY / link).is_file(), link


def test_the_pictures_are_all_shown_and_are_small():
    pictures = list((REPOSITORY / "Resources" / "Screenshots").iterdir())
    for picture in pictures:
        assert f"(Resources/Screenshots/{picture.name})" in README
    assert sum(picture.stat().st_size for picture in pictures) < 1_000_000


def test_the_table_of_models_says_what_the_cards_say():
    from MedNCALib import list_models

    for model in list_models():
        scores = model.card["scores"]
        row = next(line for line in README.splitlines() if line.startswith(f"| `{model.name}`"))
        for figure in (scores["whole"], *scores["labels"].values()):
            assert f"{figure:.3f}" in row
        assert f"{model.cascade.parameter_count:,}" in row
        assert f"{model.size_bytes / 1000:.0f} kB" in row
        assert model.card["licence"] in row


def test_the_table_of_perturbations_says_what_the_cards_say():
    from MedNCALib import list_models

    header, _, *rows = (
        line.split("|") for line in README[README.index("| Dice lost by |") :].split("\n\n")[0].splitlines()
    )
    for model in list_models():
        falls = {row[1].strip(): row[header.index(f" **{model.name}** ")].strip() for row in rows}
        found = {perturbation: float(fall) for perturbation, fall in falls.items() if fall != "-"}
        assert found == pytest.approx(model.card["robustness"], abs=0.0006)


def test_make_and_ci_run_name_the_packages_that_readme_names():
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    packages = re.search(r"packages=\((.*?)\)", script).group(1).split()
    for package in packages:
        assert package in README
