"""The files of the module beside its code: what Slicer reads of them has to be there and to agree."""

import ast
import json
import struct
import sys
from xml.etree import ElementTree

import pytest
from support.brightness_model import MODULE, REPOSITORY

from MedNCALib.imaging.labels import read_labels
from MedNCALib.imaging.laterality import split_by_side

LABELS = sorted(REPOSITORY.glob("weights/*/labels.csv"))
TERMINOLOGY = REPOSITORY / "Resources" / "MedNCA.term.json"
ICONS = [REPOSITORY / "Resources" / "Icons" / "MedNCA.png", MODULE.parent / "Resources" / "Icons" / "MedNCA.png"]
UI = MODULE.parent / "Resources" / "UI" / "MedNCA.ui"


def imported_at_file_scope(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda)]
    lazy = {inner for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in lazy:
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (name.partition(".")[0] for name in names)


def test_module_file_imports_nothing_that_costs_time_when_slicer_starts():
    allowed = {"slicer", "qt", "ctk", "vtk", *sys.stdlib_module_names}
    assert set(imported_at_file_scope(MODULE)) <= allowed


def test_every_control_of_the_panel_has_a_tooltip(panel):
    """From the file, or from the code that says there what is missing."""
    controls = {"QComboBox", "QSpinBox", "QDoubleSpinBox", "QSlider", "QPushButton", "QCheckBox", "qMRMLNodeComboBox"}
    widgets = ElementTree.parse(UI).iter("widget")
    names = [widget.get("name") for widget in widgets if widget.get("class") in controls]
    assert len(names) > 20
    assert [name for name in names if not getattr(panel.ui, name).toolTip] == []


def test_no_two_controls_of_the_panel_have_the_same_mnemonic():
    texts = [text.text or "" for text in ElementTree.parse(UI).iterfind(".//property[@name='text']/string")]
    letters = sorted(text[text.index("&") + 1].lower() for text in texts if "&" in text)
    assert letters == sorted(set(letters))


def test_every_parameter_is_bound_to_one_control(host):
    host.loadModule(MODULE)
    import MedNCA

    bound = [p.findtext("string") for p in ElementTree.parse(UI).iterfind(".//*[@name='SlicerParameterName']")]
    by_code = {
        "model",
        "find",
        "protocol",
        "growthView",
        "growthVolume",
        "growthBrowser",
        "inspectedPoint",
        "qualityTable",
    }
    assert sorted([*bound, *by_code]) == sorted(MedNCA.MedNCAParameterNode.allParameters)


@pytest.mark.parametrize("path", LABELS, ids=lambda path: path.parent.name)
def test_slicer_reads_the_labels_of_the_model_as_a_colour_table(host, path):
    import slicer

    colours = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLColorTableNode")
    storage = slicer.vtkMRMLColorTableStorageNode()
    storage.SetFileName(str(path))
    assert storage.ReadData(colours)
    labels = read_labels(path)
    assert labels
    for label in labels:
        rgba = [0.0] * 4
        assert colours.GetColor(label.value, rgba)
        assert colours.GetColorName(label.value) == label.name
        assert tuple(round(component * 255) for component in rgba) == (*label.color, 255)
        entry = label.terminology_entry.split("~")
        entry[0] = entry[4] = ""  # the names of the lists are not in the table
        assert colours.GetTerminologyAsString(label.value).removesuffix("~") == "~".join(entry)


@pytest.mark.parametrize("path", LABELS, ids=lambda path: path.parent.name)
def test_codes_of_the_labels_are_in_the_projects_terminology(path):
    """With the same meaning and colour."""
    (category,) = json.loads(TERMINOLOGY.read_text(encoding="utf-8"))["SegmentationCodes"]["Category"]
    types = {entry["CodeValue"]: entry for entry in category["Type"]}
    for label in read_labels(path):
        scheme, value, meaning = label.terminology["type"]
        assert types[value]["CodingSchemeDesignator"] == scheme
        assert types[value]["CodeMeaning"] == meaning
        shown = types[value]
        if "type_modifier" in label.terminology:
            shown = next(
                each
                for each in types[value]["Modifier"]
                if (each["CodingSchemeDesignator"], each["CodeValue"], each["CodeMeaning"])
                == label.terminology["type_modifier"]
            )
        assert tuple(shown["recommendedDisplayRGBValue"]) == label.color
        assert label.terminology["category"] == (
            category["CodingSchemeDesignator"], category["CodeValue"], category["CodeMeaning"],
        )  # fmt: skip


def test_application_knows_the_terminology_after_start_up(host):
    import slicer

    host.loadModule(MODULE)
    logic = slicer.modules.terminologies.logic()
    context = read_labels(LABELS[0])[0].terminology_entry.partition("~")[0]
    assert logic.IsTerminologyContextLoaded(context)
    category, found = slicer.vtkSlicerTerminologyCategory(), slicer.vtkSlicerTerminologyType()
    assert logic.GetNthCategoryInTerminology(context, 0, category)
    assert logic.GetNumberOfTypesInTerminologyCategory(context, category) == 4
    assert logic.GetNthTypeInTerminologyCategory(context, category, 0, found)
    assert found.GetCodeValue() == "HIPP-ANT"


@pytest.mark.parametrize("name", ["MedNCA synthetic phantom", "MedNCA synthetic head"])
def test_sample_data_offers_the_synthetic_volumes(host, name):
    """The custom downloader makes the volume on the spot."""
    import slicer

    host.loadModule(MODULE)
    (source,) = (each for each in slicer.modules.sampleDataSources["MedNCA"] if each.sampleName == name)
    assert source.thumbnailFileName == str(ICONS[1])
    volume_node = source.customDownloader(source)
    assert volume_node.GetName() == name
    assert volume_node.GetScene() is slicer.mrmlScene
    assert volume_node.GetImageData().GetNumberOfPoints() > 0


@pytest.mark.parametrize("path", ICONS, ids=["extension", "module"])
def test_icon_is_a_png_of128_pixels(path):
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (128, 128)


def test_label_colours_of_a_model_can_be_told_apart():
    for path in LABELS:
        for labels in split_by_side(read_labels(path)):  # a result has those of one kind
            colours = [label.color for label in labels]
            assert len(set(colours)) == len(colours)
            assert all(max(colour) - min(colour) > 80 for colour in colours), "too grey to stand out from an MR image"
