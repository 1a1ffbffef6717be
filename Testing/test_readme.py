"""What README shows works as it is shown."""

import re
import shlex

import pytest
from shared_data import REPOSITORY

from MedNCALib.cli import _parser

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = sorted(set(re.findall(r"^mednca .*$", README, re.MULTILINE)))


def test_the_console_snippets_run_one_after_the_other(host):
    import slicer

    host.loadModule(REPOSITORY / "MedNCA" / "MedNCA.py")
    host.clickSample("MedNCA synthetic phantom")
    console = {"slicer": slicer}
    for snippet in SNIPPETS:
        exec(compile(snippet, "README.md", "exec"), console)
    names = [segment.GetName() for segment in segmentsOf(console["segmentationNode"])]
    assert names == ["anterior hippocampus", "posterior hippocampus"]
    assert console["logic"].quality.runs == 3  # of the latest run that is shown
    assert console["result"].labels.GetSize() == console["mednca"].make_phantom().image.GetSize()


def segmentsOf(node):
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegment(index) for index in range(segmentation.GetNumberOfSegments())]


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


def test_the_table_of_models_says_what_the_cards_say():
    from MedNCALib import list_models

    for model in list_models():
        scores = model.card["scores"]
        row = next(line for line in README.splitlines() if line.startswith(f"| `{model.name}`"))
        for figure in (scores["whole"], *scores["labels"].values()):
            assert f"{figure:.3f}" in row
        assert f"{model.cascade.parameters:,}" in row
        assert f"{model.size_bytes / 1000:.0f} kB" in row
        assert model.card["licence"] in row


def test_make_and_ci_run_name_the_packages_that_readme_names():
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    packages = re.search(r"packages=\((.*?)\)", script).group(1).split()
    for package in packages:
        assert package in README
