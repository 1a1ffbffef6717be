"""`mednca train` without PyTorch: says the same lines, a second of training in some milliseconds, and writes a model.

As a program it takes the arguments of `mednca`; tests put it in the place of the real one with `use_fake_training`.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path

_SECOND = 0.02  # how long a second of training takes
_EVERY = 4  # seconds between two validations


def use_fake_training(monkeypatch, *more):
    """Have the panel start this program.

    :param more: further arguments: ``--die-at SECONDS``, ``--refuse TEXT``.
    """
    from MedNCAScene.learning import process

    monkeypatch.setattr(process, "command", lambda arguments: [sys.executable, __file__, *arguments, *more])


def _arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["train"])
    for name in ("--images", "--labels", "--output", "--preset", "--from", "--refuse"):
        parser.add_argument(name)
    for name in ("--minutes", "--batches", "--seed", "--die-at"):
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
    sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]
    from MedNCALib.imaging.labels import read_labels
    from MedNCALib.io.image_label_pairs import find_pairs, labels_named_in

    output = Path(options.output)
    pairs = find_pairs(options.images, options.labels)
    table = output / "labels.csv"
    labels = read_labels(table) if table.is_file() else labels_named_in(pairs)
    checkpoint = output / "training" / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    second = int(checkpoint.read_text()) if options.resume else 0
    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stopped.set()), daemon=True).start()
    names = [label.name for label in labels]
    _say("start", batches=None, minutes=options.minutes, parameters=1, device="cpu", labels=names,
         cases={"train": len(pairs) - 1, "validation": 1})  # fmt: skip
    total = 60 * options.minutes
    while second < total and not stopped.is_set():
        time.sleep(_SECOND)
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
            _say(
                "preview", batch=10 * second, case=pairs[0].name, image=str(pairs[0].image), labels=str(pairs[0].label)
            )
        if options.die_at and second >= options.die_at:
            return 137
    _save(output, labels, pairs[0].name, vars(options)["from"])
    _say("end", stopped=second < total, model=str(output), batch=10 * second, dice=dict.fromkeys(names, 0.8), whole=0.8)
    return 0


def _save(output, labels, case, start_from):
    """A model of one step that finds the first label in what is bright, with a card as a training fills it."""
    from dataclasses import replace

    from MedNCALib.model.card import DataSource, Scores, TrainingHistory
    from support.random_models import random_model

    model = random_model(labels=tuple(labels), stages=((1, 2),), name=output.name, title=output.name)
    history = TrainingHistory(data=(DataSource("images", "the user's own", "not stated"),), started_from=start_from)
    scores = Scores(whole=0.8, labels={label.name: 0.8 for label in labels}, cases=(case,), what="held-out cases")
    replace(model, card=replace(model.card, training=history, scores=scores, licence="not stated")).save(output)


if __name__ == "__main__":
    sys.exit(main())
