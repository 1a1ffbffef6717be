"""`mednca train` without PyTorch: says the same lines, a second of training in some milliseconds, and writes a model.

As a program it takes the arguments of `mednca`; tests put it in the place of the real one with `use_fake_training`. It
imports nothing but the standard library: each test starts it.
"""

import argparse
import csv
import json
import shutil
import sys
import threading
import time
from pathlib import Path

_SECOND = 0.01  # how long a second of training takes
_EVERY = 4  # seconds between two validations
_SCORE = 0.8


def use_fake_training(monkeypatch, folder, *more):
    """Have the panel start this program.

    :param folder: for the models that it hands out.
    :param more: further arguments: ``--refuse TEXT``, ``--second HOW_LONG``.
    """
    from MedNCAScene.learning import process

    from MedNCALib.imaging.labels import Label
    from support.random_models import random_model

    for count in (1, 2):
        labels = tuple(Label(value, f"label {value}") for value in range(1, count + 1))
        random_model(labels=labels, stages=((1, 2),)).save(Path(folder) / "templates" / str(count))
    own = [sys.executable, __file__, "--templates", str(Path(folder) / "templates"), *more]
    monkeypatch.setattr(process, "command", lambda arguments: [*own, *arguments])


def _arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["train"])
    for name in ("--images", "--labels", "--output", "--preset", "--from", "--refuse", "--templates"):
        parser.add_argument(name)
    for name in ("--minutes", "--seed", "--second"):
        parser.add_argument(name, type=float)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--json-progress", action="store_true", required=True)
    return parser.parse_args()


def _say(event, **values):
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


def main():
    options = _arguments()
    if options.refuse:
        sys.stderr.write(f"mednca: {options.refuse}\n")
        return 2
    output, images = Path(options.output), sorted(Path(options.images).iterdir())
    case = images[0].stem
    preview = {"case": case, "image": str(images[0]), "labels": str(Path(options.labels) / f"{case}.seg.nrrd")}
    with (output / "labels.csv").open(encoding="utf-8") as file:
        names = [row["Name"] for row in csv.DictReader(file)]
    checkpoint = output / "training" / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    second = int(checkpoint.read_text()) if options.resume else 0
    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stopped.set()), daemon=True).start()
    _say("proposal", sentences=["Slices are axial."])
    _say("start", batches=None, minutes=options.minutes, parameters=1, device="cpu", labels=names, batch=10 * second,
         cases={"train": len(images) - 1, "validation": 1})  # fmt: skip
    total = 60 * options.minutes
    while second < total and not stopped.is_set():
        time.sleep(options.second or _SECOND)
        second += 1
        beside = checkpoint.with_suffix(".new")
        beside.write_text(str(second))
        beside.replace(checkpoint)
        score = second / (second + 10)
        _say("progress", batch=10 * second, batches=None, seconds=second, seconds_left=total - second,
             learning_rate=0.001, loss=1.5 - score)  # fmt: skip
        if second % _EVERY == 0:
            dice = dict.fromkeys(names, score)
            _say("validation", batch=10 * second, seconds=second, dice=dice, whole=score, best=True)
            _say("preview", batch=10 * second, **preview)
    _say("measuring", done=0.5)
    _save(output, options.templates, names, case, vars(options)["from"])
    dice = dict.fromkeys(names, _SCORE)
    _say("end", stopped=second < total, model=str(output), batch=10 * second, dice=dice, whole=_SCORE)
    return 0


def _save(output, templates, names, case, start_from):
    """A model with random weights, and a card as a training fills it."""
    template = Path(templates) / str(len(names))
    shutil.copy(template / "weights.npz", output / "weights.npz")
    card = json.loads((template / "card.json").read_text(encoding="utf-8"))
    scores = {"whole": _SCORE, "labels": dict.fromkeys(names, _SCORE), "cases": [case], "what": "held-out cases"}
    data = [{"name": "images", "source": "the user's own", "licence": "not stated", "cases": 1}]
    training = {"data": data, "preset": "auto", "started_from": start_from, "seed": 0}
    card.update(name=output.name, title=output.name, licence="not stated", scores=scores, training=training)
    (output / "card.json").write_text(json.dumps(card), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
