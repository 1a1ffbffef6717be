"""The architecture, as rules that hold for every file: who stands on whom, and who may import what.

An import counts wherever it stands, inside a function or under `TYPE_CHECKING` too. Each rule is also tried on a short
source that breaks it.
"""

import ast
import re
import sys
from pathlib import Path

import pytest
from support.shared_data import REPOSITORY

# The floors of each package, from the ground up: folders, and files that lie beside the folders. A file imports only
# from floors below its own and from its own folder.
FLOORS = {
    "MedNCALib": (
        ("_version", "atomic_write", "checks", "errors", "process_memory", "progress"),
        ("numerics",),
        ("automaton", "imaging"),
        ("io", "model"),
        ("segmentation",),
        ("benchmark", "evaluation", "measurement"),
        ("cohort", "training"),
        ("cli",),
        ("__init__", "__main__"),
    ),
    "MedNCAScene": (
        ("__init__", "derived_nodes", "library", "node_watch", "transforms"),
        ("inputs",),
        ("application",),
        ("results",),
        ("display", "learning"),
        ("many_run", "regrow_run", "segmentation_run", "sequence_run", "stress_run", "training_run"),
    ),
}

# What the files of a folder may import besides their own package and the standard library; a deeper folder or a file
# adds to what its folders have. Slicer has numpy, SimpleITK, SciPy, pydicom and Pillow for the engine, but no PyTorch.
MAY_IMPORT = {
    "MedNCALib": "numpy SimpleITK",
    "MedNCALib/io": "PIL pydicom",
    "MedNCALib/io/dicom_seg.py": "highdicom",
    "MedNCALib/automaton/kernels/torch_kernel.py": "torch",
    "MedNCALib/automaton/kernels/dense_reference.py": "torch",
    "MedNCALib/model/reference_checkpoints.py": "torch",
    "MedNCALib/segmentation/growth_animation.py": "PIL",
    "MedNCALib/measurement/volume_curve.py": "PIL",
    "MedNCALib/evaluation/calibration.py": "scipy",
    "MedNCALib/evaluation/metrics.py": "surface_distance",
    "MedNCALib/benchmark/kernels.py": "torch",
    "MedNCALib/benchmark/models.py": "torch",
    "MedNCALib/cohort": "PIL",
    "MedNCALib/cohort/executors.py": "distributed",
    "MedNCALib/training": "torch",
    "MedNCALib/cli/commands/progress.py": "tqdm",
    "MedNCA/MedNCAScene": "MedNCALib numpy SimpleITK slicer vtk",
    "MedNCA/MedNCAScene/application/sample_data.py": "SampleData",
    "MedNCA/MedNCAScene/application/pytorch.py": "PyTorchUtils",
    "MedNCA/MedNCAScene/application/segment_editor.py": "qSlicerSegmentationsEditorEffectsPythonQt",
    "MedNCA/MedNCAScene/display/growth_export.py": "PIL",
    "MedNCA/MedNCAScene/learning/process.py": "qt",
    "MedNCA/MedNCAPanel": "MedNCALib MedNCAScene qt slicer",
    "MedNCA/MedNCARegrowEffect": "MedNCALib MedNCAPanel MedNCAScene qSlicerSegmentationsEditorEffectsPythonQt qt "
    "SegmentEditorEffects slicer",
    "MedNCA/MedNCA.py": "MedNCALib MedNCAPanel MedNCAScene SimpleITK slicer vtk",
    "Testing": "numpy pytest SimpleITK",
    "Testing/conftest.py": "host support",
    "Testing/host": "ctk PySide6 qt shiboken6 slicer slicer_core vtk",
    "Testing/host_tests": "ctk dropped_package host HostExample PIL PySide6 qt SampleData sitkUtils slicer support vtk",
    "Testing/support": "MedNCALib MedNCAScene PIL pydicom PySide6 slicer vtk",
    "Testing/engine": "distributed highdicom MedNCALib PIL pydicom scipy slicer support surface_distance torch vtk",
    "Testing/scene": "host MedNCA MedNCALib MedNCAScene PIL PySide6 slicer support vtk",
    "Testing/panel": "ctk host MedNCA MedNCALib MedNCAPanel MedNCAScene PIL PySide6 qt slicer support torch vtk",
    "Testing/packaging": "hatchling MedNCALib slicer support",
    "Testing/tools": "host MedNCALib MedNCAScene monai PIL PySide6 slicer support tools torch vtk",
    "Testing/tools_tests": "MedNCALib MedNCAScene monai PySide6 slicer support tools torch vtk",
}

# What the start of the application may wait for.
AT_START = {"slicer", "vtk", "qt", "ctk", "SegmentEditorEffects"}

CODE = [
    path.relative_to(REPOSITORY)
    for folder in ("MedNCALib", "MedNCA", "Testing")
    for path in sorted((REPOSITORY / folder).rglob("*.py"))
]

FOLDERS = {parent for path in CODE for parent in path.parents}


def imports(path, tree):
    """Line and full dotted name of all that a file imports; of `from a import b` the name is `a.b`."""
    parts = path.with_suffix("").parts
    package = parts[:-1] if parts[0] == "MedNCALib" else parts[1:-1]  # MedNCA and Testing hold packages, and are none
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            source = [*above, *([node.module] if node.module else [])]
            yield from ((node.lineno, ".".join([*source, name.name])) for name in node.names)
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "importorskip", "needs", "__import__"):
            yield from ((node.lineno, a.value) for a in node.args[:1] if isinstance(a, ast.Constant))


def called(node):
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def floor_and_room(package, name):
    """Number of the floor, and the folder: None for a file beside the folders. What is no room is in `__init__`."""
    floors = FLOORS[package]
    number = next((number for number, rooms in enumerate(floors) if name in rooms), None)
    if number is None:
        return floor_and_room(package, "__init__")
    return number, name if (package, name) in {path.parts[-2:] for path in FOLDERS} else None


def reaches_up(path, source):
    """Imports from a floor above, or from another room of the same floor."""
    package = next((part for part in path.parts[:2] if part in FLOORS), None)
    if package is None:
        return []
    own = path.parts[path.parts.index(package) + 1].removesuffix(".py")
    floor, room = floor_and_room(package, own)
    found = []
    for line, name in imports(path, ast.parse(source)):
        first, second = (*name.split("."), "__init__")[:2]
        if first == package:
            target_floor, target_room = floor_and_room(package, second)
            if target_floor > floor or (target_floor == floor and target_room != room):
                found.append(f"{path}:{line} imports {name}, which is not below {own}")
    return found


def reaches_out(path, source):
    """Imports of packages that the file's place does not have."""
    own = path.parts[1 if path.parts[0] == "MedNCA" else 0].removesuffix(".py")
    places = [path.as_posix(), *(parent.as_posix() for parent in path.parents)]
    allowed = {name for place in places for name in MAY_IMPORT.get(place, "").split()}
    if path.parts[0] == "Testing" and len(path.parts) > 2:
        own = path.parts[1] if path.parts[1] in ("host", "support") else ""
    return [
        f"{path}:{line} imports {name}"
        for line, name in imports(path, ast.parse(source))
        if (top := name.split(".")[0]) not in allowed and top != own and top not in sys.stdlib_module_names
    ]


def touches_nodes(path, source):
    """The panel asks MedNCAScene for everything that is a node."""
    if "MedNCAPanel" not in path.parts:
        return []
    return [
        f"{path}:{node.lineno} uses {node.attr}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and (node.attr == "mrmlScene" or re.match(r"(Add|Remove)(New|Default)?Node", node.attr))
    ]


def knows_its_tests(path, source):
    """The engine runs without the folder of its tests, and does not speak of it."""
    if path.parts[0] != "MedNCALib":
        return []
    lines = enumerate(source.splitlines(), 1)
    return [f"{path}:{number} names the folder Testing" for number, line in lines if re.search(r"\bTesting\b", line)]


def slows_the_start(path, source):
    """A module that is only listed imports nothing but the application."""
    if path not in (Path("MedNCA/MedNCA.py"), Path("MedNCA/MedNCARegrowEffect/SegmentEditorEffect.py")):
        return []
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom, ast.If, ast.Try))]
    return [
        f"{path}:{line} imports {name} at file scope"
        for line, name in imports(path, tree)
        if (top := name.split(".")[0]) not in AT_START and top not in sys.stdlib_module_names
    ]


RULES = [reaches_up, reaches_out, touches_nodes, knows_its_tests, slows_the_start]


@pytest.mark.parametrize("rule", RULES)
def test_every_file_keeps_the_rule(rule):
    broken = [problem for path in CODE for problem in rule(path, (REPOSITORY / path).read_text(encoding="utf-8"))]
    assert not broken, "\n".join([rule.__doc__, *broken])


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (reaches_up, "MedNCALib/imaging/labels.py", "from ..model.model import Model"),
        (reaches_up, "MedNCALib/imaging/labels.py", "from .. import model"),
        (reaches_up, "MedNCALib/imaging/labels.py", "from ..automaton import rule"),
        (reaches_up, "MedNCALib/imaging/labels.py", "from .. import load_model"),
        (reaches_up, "MedNCALib/imaging/labels.py", "import MedNCALib"),
        (reaches_up, "MedNCALib/imaging/labels.py", "def late():\n    import MedNCALib.cli.main"),
        (reaches_up, "MedNCALib/automaton/kernels/base.py", "from ...imaging import labels"),
        (reaches_up, "MedNCALib/errors.py", "from .numerics import resampling"),
        (reaches_up, "MedNCALib/io/images.py", "import_module('MedNCALib.segmentation')"),
        (reaches_up, "MedNCA/MedNCAScene/inputs/region.py", "from ..segmentation_run import processSteps"),
        (reaches_up, "MedNCA/MedNCAScene/inputs/region.py", "from MedNCAScene.results import segments"),
        (reaches_up, "MedNCA/MedNCAScene/transforms.py", "from .inputs.region import box"),
        (reaches_out, "MedNCALib/imaging/labels.py", "import slicer"),
        (reaches_out, "MedNCALib/imaging/labels.py", "from vtk.util import numpy_support"),
        (reaches_out, "MedNCALib/automaton/kernels/numpy_kernel.py", "def late():\n    import torch"),
        (reaches_out, "MedNCALib/segmentation/segmenter.py", "import scipy.ndimage"),
        (reaches_out, "MedNCALib/training/train_model.py", "import tqdm"),
        (reaches_out, "MedNCALib/cli/main.py", "import support.threshold_model"),
        (reaches_out, "MedNCA/MedNCAScene/library.py", "from MedNCAPanel.panel import PanelParts"),
        (reaches_out, "MedNCA/MedNCAPanel/panel.py", "import MedNCA"),
        (reaches_out, "Testing/host/host.py", "import MedNCALib"),
        (reaches_out, "Testing/support/random_models.py", "from engine.imaging.test_phantom import image"),
        (reaches_out, "Testing/engine/imaging/test_phantom.py", "from test_labels import LABELS"),
        (reaches_out, "Testing/engine/imaging/test_phantom.py", "from .test_labels import LABELS"),
        (reaches_out, "Testing/engine/imaging/test_phantom.py", "import conftest"),
        (reaches_out, "Testing/engine/imaging/test_phantom.py", "from host import slicerHost"),
        (touches_nodes, "MedNCA/MedNCAPanel/panel.py", "slicer.mrmlScene.GetNodeByID(name)"),
        (touches_nodes, "MedNCA/MedNCAPanel/panel.py", "scene.AddNewNodeByClass('vtkMRMLTableNode')"),
        (touches_nodes, "MedNCA/MedNCAPanel/panel.py", "scene.RemoveNode(node)"),
        (knows_its_tests, "MedNCALib/benchmark/report.py", 'SCRIPT = ROOT / "Testing" / "tools"'),
        (slows_the_start, "MedNCA/MedNCA.py", "import numpy as np"),
        (slows_the_start, "MedNCA/MedNCA.py", "from MedNCAScene.library import engine"),
    ],
)
def test_the_rule_finds_what_breaks_it(rule, path, source):
    assert len(rule(Path(path), source)) == 1


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (reaches_up, "MedNCALib/imaging/labels.py", "from ..errors import MedNCAError\nfrom .phantom import Phantom"),
        (reaches_up, "MedNCALib/atomic_write.py", "from .errors import MedNCAError"),
        (reaches_up, "MedNCALib/automaton/kernels/base.py", "from ..rule import Rule\nfrom . import cell_layout"),
        (reaches_up, "MedNCALib/__init__.py", "from .cli.main import main"),
        (reaches_up, "MedNCA/MedNCAScene/sequence_run.py", "from .segmentation_run import SceneResult"),
        (
            reaches_out,
            "MedNCALib/training/train_model.py",
            "import torch\nimport numpy as np\nfrom ..errors import MedNCAError",
        ),
        (reaches_out, "Testing/support/random_models.py", "from support.shared_data import REPOSITORY"),
        (touches_nodes, "MedNCA/MedNCAScene/results/segments.py", "slicer.mrmlScene.RemoveNode(node)"),
        (slows_the_start, "MedNCA/MedNCA.py", "import slicer\ndef late():\n    import numpy"),
    ],
)
def test_the_rule_lets_pass_what_keeps_it(rule, path, source):
    assert rule(Path(path), source) == []


@pytest.mark.parametrize("package", FLOORS)
def test_every_folder_and_file_of_a_package_has_its_floor(package):
    (home,) = (folder for folder in FOLDERS if folder.name == package)
    rooms = {path.stem for path in (REPOSITORY / home).iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))}
    assert rooms == {room for rooms in FLOORS[package] for room in rooms}


@pytest.mark.parametrize("place", [place for place in MAY_IMPORT if not place.startswith("Testing")])
def test_nothing_is_allowed_that_is_not_used(place):
    """A permission that nobody needs would let the next file in unseen."""
    inside = [path for path in CODE if path == Path(place) or Path(place) in path.parents]
    trees = ((path, ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))) for path in inside)
    assert set(MAY_IMPORT[place].split()) <= {
        name.split(".")[0] for path, tree in trees for _, name in imports(path, tree)
    }
