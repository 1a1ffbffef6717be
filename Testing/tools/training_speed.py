"""How quickly training goes on this machine, beside an earlier version's.

    python Testing/tools/training_speed.py --against DIR --images DIR --labels DIR general prostate-mr-t2

`--against` is the folder of another version, whose presets of these names both versions train with, on the same cases.
The two take turns of 20 batches each, so that other work on the machine meets both. Prints medians for a batch: seconds
by the clock, processor seconds of all threads, and those of the busiest thread, which are what the clock shows if
nothing else runs. The earlier version is measured with one thread and with as many as it takes by itself.

    python Testing/tools/training_speed.py --precision

prints milliseconds for 8 steps, forward and backward, of 8 samples of 64 x 64 cells with one thread in float32 and in
bfloat16. `fast_in_bfloat16` chooses by it.
"""

import argparse
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES, SIZE, STEPS, REPETITIONS = 8, 64, 8, 9
BATCHES = 20  # between two reports of a training
FIGURES = ("clock", "all threads", "busiest thread")


def main(arguments):
    if arguments.worker:
        train_in_turns(*arguments.worker)
    if arguments.precision:
        compare_precisions()
    for name in arguments.presets:
        print(row(name, compare_versions(arguments, name)), flush=True)


def compare_versions(arguments, name):
    """Median figures of a batch by version, measured in turn."""
    folder = arguments.against / "MedNCALib" / "training" / "presets"
    settings = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    settings.pop("collections", None)
    with tempfile.TemporaryDirectory() as scratch:
        preset = Path(scratch) / "preset.json"
        preset.write_text(json.dumps(settings), encoding="utf-8")
        versions = {
            "before, one thread": (arguments.against, {"OMP_NUM_THREADS": "1"}),
            "before": (arguments.against, {}),
            "now": (REPOSITORY, {}),
        }
        if arguments.one_thread:
            del versions["before"]
        workers = {
            version: Worker(root, more, preset, arguments.images, arguments.labels)
            for version, (root, more) in versions.items()
        }
        turns = {version: [] for version in workers}
        for _ in range(arguments.turns):
            for version, worker in workers.items():
                turns[version].append(worker.turn())
        for worker in workers.values():
            worker.end()
    return {version: [median(each) / BATCHES for each in zip(*figures)] for version, figures in turns.items()}


def row(name, figures):
    """One line for people."""
    first, *_, last = figures.values()
    texts = [f"{version}: {', '.join(f'{seconds:.3f}' for seconds in each)}" for version, each in figures.items()]
    ratios = ", ".join(f"{what} {one / other:.2f}" for what, one, other in zip(FIGURES, first, last))
    return f"{name}: {'; '.join(texts)}; first to last: {ratios}"


class Worker:
    """A training in a process of its own that waits for its turn."""

    def __init__(self, root, more, preset, images, labels):
        command = [sys.executable, __file__, "--worker", *map(str, (root, preset, images, labels))]
        environment = {**os.environ, "PYTHONPATH": str(root), **more}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen(command, env=environment, text=True, **pipes)
        self._process.stdout.readline()  # it is ready

    def turn(self):
        self._process.stdin.write("go on\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def end(self):
        self._process.stdin.close()
        self._process.wait()


class Enough(BaseException):
    """Ends a training."""


def train_in_turns(root, preset, images, labels):
    """Train with the version in a folder; after each 20 batches say what they cost, and wait."""
    sys.path.insert(0, root)
    train = importlib.import_module("MedNCALib.training").train
    begin = []

    def report(done, message):
        if not message.startswith("batch"):
            return
        now = costs()
        if begin:
            clock, threads = now[0] - begin[0][0], {each: now[1][each] - begin[0][1].get(each, 0) for each in now[1]}
            print(json.dumps([clock, sum(threads.values()), max(threads.values())]), flush=True)
        else:
            print("ready", flush=True)
        if not sys.stdin.readline():
            raise Enough
        begin[:] = [costs()]

    name = "report" if "report" in inspect.signature(train).parameters else "progress"
    with tempfile.TemporaryDirectory() as output, suppress(Enough):
        train(images, labels, Path(output) / "model", preset=preset, batches=10**7, **{name: report})


def costs():
    """The clock, and processor seconds of each thread of this process (Linux)."""
    ticks = os.sysconf("SC_CLK_TCK")
    threads = {}
    for task in Path("/proc/self/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        threads[task.name] = (int(fields[11]) + int(fields[12])) / ticks
    return time.perf_counter(), threads


def compare_precisions():
    sys.path.insert(0, str(REPOSITORY))
    import torch

    from MedNCALib.training.network import Automaton
    from MedNCALib.training.preset import load_preset

    torch.set_num_threads(1)
    for channels in (16, 24, 32):
        architecture = replace(load_preset("hippocampus-mr").architecture_for(2), channels=channels)
        automaton, generator = Automaton(architecture), torch.Generator()
        torch.nn.init.normal_(automaton.update, std=0.01)  # zeros would leave nothing to do for the gradients
        state = torch.randn(SAMPLES, channels, SIZE, SIZE, requires_grad=True)
        times = {"float32": [], "bfloat16": []}
        for _ in range(REPETITIONS):
            for precision, values in times.items():
                began = time.perf_counter()
                automaton(state, STEPS, generator, getattr(torch, precision)).square().mean().backward()
                values.append(1000 * (time.perf_counter() - began))
        print(
            f"{channels} channels:",
            ", ".join(f"{precision} {median(values):.0f} ms" for precision, values in times.items()),
        )


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", metavar="PRESET")
    parser.add_argument("--against", type=Path, metavar="DIR")
    parser.add_argument("--images", type=Path, metavar="DIR")
    parser.add_argument("--labels", type=Path, metavar="DIR")
    parser.add_argument("--turns", type=int, default=7, metavar="N")
    parser.add_argument("--one-thread", action="store_true", help="leave out the earlier version with its own threads")
    parser.add_argument("--precision", action="store_true")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main(options())
