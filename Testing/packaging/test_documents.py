"""What the documents show works as it is shown, and what they say is so."""

import argparse
import ast
import json
import re
import shlex
from functools import partial

import pytest
from support.fake_training import use_fake_training
from support.obedient_model import obedient_model
from support.scene_assertions import add_volume
from support.shared_data import REPOSITORY

import MedNCALib
from MedNCALib import list_models, make_phantom
from MedNCALib.cli import exit_codes
from MedNCALib.cli.main import _parser

README = REPOSITORY / "README.md"
PAGES = sorted(
    [
        README,
        *(REPOSITORY / "Resources" / "Documentation").rglob("*.md"),
        *(REPOSITORY / "weights").glob("*/TRAINING.md"),
        *(REPOSITORY / ".github").glob("*.md"),
    ]
)
TEXTS = {page.relative_to(REPOSITORY).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
PAGE = "Resources/Documentation/{}.md".format

SNIPPETS = {name: re.findall(r"^ *```python\n(.*?)```", text, re.DOTALL | re.MULTILINE) for name, text in TEXTS.items()}
CODE_BLOCKS = {name: re.findall(r"^ *```\w*\n(.*?)```", text, re.DOTALL | re.MULTILINE) for name, text in TEXTS.items()}
WITHOUT_CODE = {name: re.sub(r"^ *```.*?```", "", text, flags=re.DOTALL | re.MULTILINE) for name, text in TEXTS.items()}


# --- What is shown ---


@pytest.mark.parametrize("name", [name for name, snippets in SNIPPETS.items() if snippets])
def test_the_snippets_of_a_page_run_one_after_the_other(name, console, capsys, tmp_path):
    for snippet in SNIPPETS[name]:
        exec(compile(snippet, name, "exec"), console)
    if name == PAGE("python-console"):
        check_what_the_console_page_did(console, tmp_path, capsys.readouterr().out)


@pytest.fixture
def console(host, tmp_path, monkeypatch):
    """The names that the Python console begins with, and the data that the pages speak of."""
    import SimpleITK as sitk
    import slicer

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MEDNCA_MODELS", str(tmp_path / "models"))
    obedient_model("my-model-that-regrows").save(tmp_path / "models" / "my-model-that-regrows")
    host.loadModule(REPOSITORY / "MedNCA" / "MedNCA.py")
    use_fake_training(monkeypatch, tmp_path, "--second", "0.001")
    # All of them are smaller, and so quicker, than what the pages' reader has.
    monkeypatch.setitem(vars(MedNCALib), "make_phantom", partial(make_phantom, size=(28, 44, 28)))
    volume = add_volume(make_phantom(size=(28, 40, 28)).image, "MedNCA synthetic phantom")
    add_sequence("cine", volume, frames=2)
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        sitk.WriteImage(make_phantom(size=(24, 30, 24)).image, str(tmp_path / "images" / f"{name}.nrrd"))
    return {"slicer": slicer}


def check_what_the_console_page_did(console, folder, printed):
    import slicer

    segmentation = console["segmentationNode"].GetSegmentation()
    names = [segmentation.GetNthSegment(number).GetName() for number in range(2)]
    assert names == ["anterior hippocampus", "posterior hippocampus"]
    assert segmentation.ContainsRepresentation("Closed surface")
    written = {path.name for path in folder.glob("*.*")}
    assert written == {"hippocampus.seg.nrrd", "growth.gif", "phantom.seg.nrrd"}
    results = {path.name for path in (folder / "results").glob("*.seg.nrrd")}
    assert results == {"a_hippocampus-mr.seg.nrrd", "b_hippocampus-mr.seg.nrrd"}
    assert not any(case.error for case in console["logic"].manyOutcome.cases)
    assert slicer.util.getNode("cine browser").GetNumberOfSynchronizedSequenceNodes() == 1  # besides the master
    assert console["chartNode"].GetNumberOfPlotSeriesNodes() > 2
    assert "MedNCA synthetic phantom uncertainty" in printed
    assert "100%: stage 3 of 3, step 8 of 8" in printed
    assert [label.name for label in console["model"].labels][:1] != []
    assert "100%: batch" in printed
    assert console["result"].labels.GetSize() == console["image"].GetSize()


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


def command_lines():
    """Each line `mednca ...` in the code of the pages."""
    lines = {line.strip() for blocks in CODE_BLOCKS.values() for block in blocks for line in block.splitlines()}
    return sorted(line for line in lines if line.startswith("mednca "))


@pytest.mark.parametrize("line", command_lines())
def test_every_command_that_is_shown_is_understood(line):
    assert _parser().parse_args(shlex.split(line)[1:]).run


def commands():
    """Each command's parser, by its name."""
    (action,) = (action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))
    return action.choices


def test_the_page_of_the_command_line_has_every_command_option_and_exit_code():
    page = TEXTS[PAGE("command-line")]
    for name, command in commands().items():
        assert f"mednca {name}" in page
        for option in set(command._option_string_actions) - {"-h", "--help"}:
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", page), f"{name} {option}"
    codes = re.findall(r"^\| (\d+) \| ", page, re.MULTILINE)
    assert [int(code) for code in codes] == sorted(value for name, value in vars(exit_codes).items() if name.isupper())


def options_in_the_text():
    """Each `mednca COMMAND --option` that is named within a sentence or a table."""
    spans = {span for text in WITHOUT_CODE.values() for span in re.findall(r"`mednca ([^`]*)`", text)}
    return sorted(span for span in spans if re.match(r"[a-z]", span))


@pytest.mark.parametrize("span", options_in_the_text())
def test_every_command_and_option_that_is_named_exists(span):
    command, *words = span.split()
    known = commands()[command]._option_string_actions
    assert {word for word in words if word.startswith("-")} <= set(known)


def test_every_make_target_and_program_that_is_named_exists():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    folders = ("MedNCALib", "MedNCA", "Testing", "weights", "Resources")
    files = [
        path.relative_to(REPOSITORY).as_posix() for folder in folders for path in (REPOSITORY / folder).rglob("*.*")
    ]
    for name, text in TEXTS.items():
        for target in re.findall(r"`make ([a-z]+)", text):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{name}: make {target}"
        for path in re.findall(r"(?:`|Testing/tools)([\w-]+/[\w/.-]+\.(?:py|json|md|npz|csv))\b", text):
            assert any(f"/{file}".endswith(f"/{path}") for file in files), f"{name}: {path}"


# --- Links and pictures ---


def links(name):
    """Each link of a page that leads to a file of the project: the file, and the heading or nothing."""
    for link in re.findall(r"\]\(([^)\s]+)\)", WITHOUT_CODE[name]):
        if not re.match(r"https?:", link):
            path, _, heading = link.partition("#")
            target = (REPOSITORY / name).parent / path if path else REPOSITORY / name
            yield target.resolve(), heading


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_to_a_file_and_a_heading(name):
    for target, heading in links(name):
        assert target.is_file(), f"{name}: {target}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


def test_the_panel_and_the_package_link_to_files_of_the_project():
    sources = [*(REPOSITORY / "MedNCA").rglob("*.py"), REPOSITORY / "pyproject.toml", *PAGES]
    linked = {
        path
        for source in sources
        for path in re.findall(r"github\.com/MedNCA/MedNCA/blob/main/([\w/.-]+\w)", source.read_text(encoding="utf-8"))
    }
    assert "Resources/Documentation/tutorial.md" in linked
    assert [path for path in linked if not (REPOSITORY / path).is_file()] == []


def reachable():
    """What a reader reaches from README by clicks, pictures included."""
    found, waiting = set(), [README.resolve()]
    while waiting:
        target = waiting.pop()
        name = target.relative_to(REPOSITORY).as_posix()
        if target not in found and name in TEXTS:
            waiting += [each for each, _ in links(name)]
        found.add(target)
    return found


def test_every_page_and_every_picture_is_reached_from_readme():
    of_contributors = re.compile(r"(pull_request_template|ISSUE_TEMPLATE)", re.IGNORECASE)  # GitHub itself shows these
    pages = {page for page in PAGES if not of_contributors.search(page.name)}
    screenshots = set((REPOSITORY / "Resources" / "Screenshots").iterdir())
    pictures = set((REPOSITORY / "Resources" / "Documentation").rglob("*.svg"))
    assert pages | screenshots | pictures <= reachable()


def test_the_pictures_are_small():
    pictures = [path for path in reachable() if path.suffix in (".png", ".jpg", ".gif", ".svg")]
    assert sum(picture.stat().st_size for picture in pictures) < 1_600_000


# --- What is said ---


@pytest.mark.parametrize("name", ["README.md", PAGE("models")])
def test_the_tables_of_models_say_what_the_cards_say(name):
    for model in list_models():
        row = next(line for line in TEXTS[name].splitlines() if line.startswith(f"| `{model.name}`"))
        assert f"{card(model)['scores']['whole']:.3f}" in row


def test_the_page_of_models_has_the_figures_of_the_cards():
    for model in list_models():
        row = next(line for line in TEXTS[PAGE("models")].splitlines() if line.startswith(f"| `{model.name}`"))
        for figure in card(model)["scores"]["labels"].values():
            assert f"{figure:.3f}" in row
        assert f"{model.cascade.parameter_count:,}" in row
        assert f"{model.size_bytes / 1000:.0f} kB" in row
        assert card(model)["licence"] in row


def test_the_record_of_a_training_ends_where_the_card_does():
    for model in list_models():
        record = TEXTS[f"weights/{model.name}/TRAINING.md"]
        bundled = re.findall(r"^\| \d+, bundled \|.*$", record, re.MULTILINE)
        assert f"{card(model)['scores']['whole']:.3f}" in bundled[0]


def card(model):
    return json.loads((model.folder / "card.json").read_text(encoding="utf-8"))


def test_the_page_of_training_explains_every_key_of_a_preset():
    general = REPOSITORY / "MedNCALib" / "training" / "presets" / "general.json"
    preset = json.loads(general.read_text(encoding="utf-8"))
    assert [key for key in preset if f"`{key}`" not in TEXTS[PAGE("training")]] == []


def test_the_picture_of_the_floors_shows_every_folder():
    picture = (REPOSITORY / "Resources" / "Documentation" / "floors.svg").read_text(encoding="utf-8")
    folders = [
        path.parent.name
        for package in ("MedNCALib", "MedNCA/MedNCAScene")
        for path in (REPOSITORY / package).glob("*/__init__.py")
    ]
    assert len(folders) > 10
    assert [folder for folder in folders if f">{folder}<" not in picture] == []


def test_every_button_that_the_tutorial_names_is_in_the_panel():
    forms = sorted((REPOSITORY / "MedNCA" / "Resources" / "UI").glob("*.ui"))
    panel = "".join(form.read_text(encoding="utf-8") for form in forms)
    panel += "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "MedNCA").rglob("*.py"))
    panel = panel.replace("&amp;", "").replace("&", "")
    for name in (
        "README.md",
        PAGE("tutorial"),
        PAGE("learning"),
        PAGE("troubleshooting"),
        PAGE("models"),
        PAGE("training"),
    ):
        for label in re.findall(r"(?<!\*)\*\*([^*\n]+)\*\*(?!\*)", TEXTS[name]):
            assert label.rstrip(".") in panel, f"{name}: {label}"


def messages():
    """What the code says to a user, each with a mark in place of its variable parts."""
    for folder in ("MedNCALib", "MedNCA"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(getattr(part, "value", "…") if is_text(part) else "…" for part in node.values)
                elif is_text(node):
                    yield re.sub(r"\{\w*[^{}]*\}", "…", node.value)


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_every_message_on_the_page_of_troubleshooting_is_one_of_the_code():
    known = "\n".join({re.sub(r"\s+", " ", message) for message in messages() if " " in message})
    rows = re.findall(r"^\| `([^`]+)` \|", TEXTS[PAGE("troubleshooting")], re.MULTILINE)
    shown = [row for row in rows if " " in row]
    assert len(shown) > 40

    def is_known(row):
        return re.search(".*".join(re.escape(part) for part in row.split("…")), known)

    assert [row for row in shown if not is_known(row)] == []


def test_every_decision_is_complete_and_listed():
    pages = {name: text for name, text in TEXTS.items() if re.search(r"/decisions/\d{4}-", name)}
    numbers = [int(re.search(r"/(\d{4})-", name).group(1)) for name in pages]
    assert numbers == list(range(1, len(pages) + 1))
    listed = {target.name for target, _ in links(PAGE("decisions/index"))}
    for name, text in pages.items():
        assert text.startswith(f"# {int(re.search(r'/([0-9]{4})-', name).group(1))}. ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
            "Context",
            "Options",
            "Decision",
            "What would change it",
        ]
        assert name.rpartition("/")[2] in listed


def test_ci_installs_the_packages_that_readme_names():
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    packages = re.search(r"packages=\((.*?)\)", script, re.DOTALL).group(1).split()
    (named,) = re.findall(r"`(python3-venv [^`]*)`", TEXTS["README.md"])
    assert named.split() == packages
