"""The public face, by its names: what other programs may rely on. A change here is a change for them.

Names, options and keys may be added, which adds them here too; none is taken away or renamed.
"""

import ast
import inspect
import json
import re

import pytest
from support.shared_data import REPOSITORY

import MedNCALib as mednca
from MedNCALib._version import __version__
from MedNCALib.cli.main import main

# Names of the package, with the arguments of what is called in their order; None if they are not part of the contract.
LIBRARY = {
    "MedNCAError": None,
    "ImageError": None,
    "ModelError": None,
    "NotFoundError": None,
    "TrainingError": None,
    "Label": "value name color terminology",
    "Model": None,
    "load_model": "name_or_folder directory",
    "list_models": "directory",
    "check_model": "folder",
    "RunOptions": "runs seed engine threads all_cells protocol find",
    "segment": "image model options",  # those of segment_steps
    "segment_steps": "image model region runs seed engine threads probabilities uncertainty largest_only all_cells "
    "protocol find found every_step",
    "Step": "fraction stage stages step steps run runs slices cells space architecture label_table is_finding found "
    "structure",
    "Result": "labels probabilities uncertainty quality protocol label_table found brain_ml notes pass_slices",
    "FoundStructure": "side box confidence is_cut contrast_turn",
    "Finding": "structures brain_ml notes",
    "Quality": "runs nqm agreement label_agreement volumes_ml verdict",
    "regrow": "image model labels corrections options",  # those of regrow_steps
    "regrow_steps": "image model labels corrections corrections_before region runs seed engine threads uncertainty "
    "all_cells protocol find found",
    "Regrown": "labels regrown kept changed uncertainty protocol label_table found",
    "Measurement": "structure quantity value unit spread",
    "measure": "result",
    "stress_test": "image model options",  # those of segment_steps
    "stress_test_steps": "image model options",
    "StressTest": "result changes worst_labels",
    "make_phantom": "size spacing axes side bias noise seed",
    "Phantom": "image labels",
    "read_image": "path series axes spacing",
    "read_sequence": "path options",  # those of read_volumes
    "segment_sequence_steps": "frames count model options",  # those of segment_steps
    "chamber_volumes": "results model times",
    "write_segmentation": "path labels model_labels record",
}

LOGIC = {
    "process": "volumeNode segmentationNode model region runs seed interactive",
    "processSteps": "volumeNode segmentationNode model region runs seed interactive",
    "stressTest": "volumeNode model region runs seed interactive",
    "stressTestSteps": "volumeNode model region runs seed interactive",
    "processMany": "volumeNodesOrPaths model interactive",
    "processManySteps": "volumeNodesOrPaths model interactive",
    "train": "pairs name minutes startFrom",
    "trainSteps": "pairs name minutes startFrom interactive",
    "continueTrainingSteps": "name minutes interactive waitMs",
    "stopTraining": "",
    "regrow": "segmentationNode volumeNode model runs seed interactive",
    "regrowSteps": "segmentationNode volumeNode model runs seed interactive",
    "undoRegrow": "segmentationNode",
    "forgetCorrections": "segmentationNode volumeNode model",
    "regrowHistory": "",
    "exportGrowth": "path",
    "plotCell": "volumeNode point model region seed protocol",
    "getParameterNode": "",
    "quality": "",
    "measurements": "",
    "setCountedSlices": "first last",
    "updateMeasurements": "",
    "showFound": "volumeNode model",
}
LOGIC_OPTIONS = {
    "engine": "auto",
    "threads": None,
    "probability": True,
    "uncertainty": True,
    "showWhileRunning": True,
    "keepGrowth": "labels",
    "growthMegabytes": 256,
    "table": True,
    "allFrames": False,
    "largestOnly": True,
    "largest_only": True,
    "allCells": True,
    "protocol": "auto",
    "find": "never",
    "found": None,
}

RUNNING = "--runs --seed --engine --threads --all-cells --protocol --find"
READING = "--axes --spacing"
MANY = "--jobs --dask --shard --existing --max-failures --timeout --table --report --dry-run --log"
COMMANDS = {
    "models": "--json --export --add",
    "segment": "-m --model -o --output --series --region --largest-only --probability --uncertainty --stress --json "
    "--corrections "
    f"--frame-interval --leave-out --slices --list --recursive --pattern --format {MANY} {RUNNING} {READING}",
    "collect": "--table --report --least-sure",
    "bids": f"--participant-label -m --model --suffix --largest-only --json {MANY} {RUNNING}",
    "evaluate": "-m --model --images --labels --limit --perturb --card -o --output --in-place --json "
    "--corrections --poor-slices "
    f"{RUNNING} {READING}",
    "train": "--images --labels --data -o --output --preset --minutes --batches --seed --from --resume --overwrite "
    f"--json-progress {READING}",
    "import-reference": "-o --output --size --steps --fire-rate --overwrite",
    "bench": "--json --panel",
    "demo": f"-o --output -m --model --volume --series {READING}",
}

QUALITY = {"runs", "nqm", "agreement", "label_agreement", "volumes_ml", "verdict"}
SCORE = {"dice", "hd95_mm", "volume_ml", "volume_error_ml"}


def test_the_package_has_these_names_and_no_others():
    assert set(mednca.__all__) == {*LIBRARY, "__version__"}
    assert set(mednca.__all__) <= set(dir(mednca))
    for name in mednca.__all__:
        assert getattr(mednca, name)


@pytest.mark.parametrize("name", [name for name, arguments in LIBRARY.items() if arguments])
def test_the_arguments_keep_their_names_and_their_order(name):
    assert list(inspect.signature(getattr(mednca, name)).parameters) == LIBRARY[name].split()


@pytest.mark.parametrize("name", ["ImageError", "ModelError", "NotFoundError", "TrainingError"])
def test_all_errors_are_of_one_family(name):
    assert issubclass(getattr(mednca, name), mednca.MedNCAError)
    assert issubclass(mednca.MedNCAError, Exception)


def test_the_methods_of_the_logic_keep_their_arguments():
    tree = ast.parse((REPOSITORY / "MedNCA" / "MedNCA.py").read_text(encoding="utf-8"))
    (logic,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "MedNCALogic")
    methods = {node.name: node.args for node in logic.body if isinstance(node, ast.FunctionDef)}
    public = {name: arguments for name, arguments in methods.items() if not name.startswith("_")}
    found = {name: " ".join(a.arg for a in arguments.args[1:]) for name, arguments in public.items()}
    assert found == LOGIC
    assert methods["process"].kwarg
    assert methods["processSteps"].kwarg


def test_the_logic_takes_every_option_by_its_name(panel, volume_node):
    node = panel.logic.process(volume_node, model="brightness", runs=2, **LOGIC_OPTIONS)
    assert node.GetSegmentation().GetNumberOfSegments() == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_these_options_and_no_others(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    lines = re.findall(r"^  (-.+?)(?:  |$)", capsys.readouterr().out, re.MULTILINE)
    options = {option for line in lines for option in re.findall(r"(?<![\w-])--?[a-z][\w-]*", line)}
    assert options == {"-h", "--help", *COMMANDS[command].split()}


def test_the_command_line_has_these_commands_and_no_others(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert re.findall(r"^    ([a-z][\w-]*)", capsys.readouterr().out, re.MULTILINE) == list(COMMANDS)


def test_the_command_says_the_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.split() == ["mednca", __version__]
    assert mednca.__version__ == __version__


def test_the_summary_of_a_segmentation_keeps_its_keys(model_folder, volume_file, tmp_path, capsys):
    assert main(["segment", str(volume_file), "-m", model_folder, "-o", str(tmp_path), "--runs", "2", "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)
    assert set(summary) == {
        "input", "model", "model_sha256", "version", "seed", "passes", "protocol", "found", "brain_ml", "notes",
        "segmentation", "probabilities", "uncertainty", "seconds", "volumes_ml", "quality", "measurements",
        "stress",
    }  # fmt: skip
    assert set(summary["quality"]) == QUALITY
    label = next(iter(summary["volumes_ml"]))
    assert isinstance(summary["volumes_ml"][label], float)
    assert set(summary["quality"]["volumes_ml"][label]) == {"mean", "sd", "by_pass"}


def test_the_report_of_an_evaluation_keeps_its_keys(model_folder, cohort, tmp_path, capsys):
    file = tmp_path / "report.json"
    assert main(["evaluate", "-m", model_folder, *cohort, "--perturb", "--json", str(file)]) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert set(report) == {"cases", "mean", "perturbations"}
    for case in report["cases"]:
        assert set(case) == {"name", "seconds", "labels", "whole", "quality", "protocol"}
        assert set(case["quality"]) == QUALITY
    for scores in (*report["cases"], report["mean"]):
        assert all(set(score) == SCORE for score in (scores["whole"], *scores["labels"].values()))
    assert all(set(scores) == {"whole", "fall", "labels"} for scores in report["perturbations"].values())


def test_the_list_of_models_keeps_its_keys(capsys):
    assert main(["models", "--json"]) == 0
    for model in json.loads(capsys.readouterr().out):
        assert set(model) == {
            "name", "title", "description", "modality", "anatomy", "licence", "labels", "parameters", "size_bytes",
            "finder", "folder", "can_regrow",
        }  # fmt: skip
