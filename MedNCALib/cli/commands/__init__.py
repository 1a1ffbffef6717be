"""The commands, by the name that they have on the command line.

Each module has a text that says what the command does, `add_options(parser)` and `run(options)`.
"""

from . import bench, demo, evaluate, import_reference, models, segment, train

COMMANDS = {
    "models": models,
    "segment": segment,
    "evaluate": evaluate,
    "train": train,
    "import-reference": import_reference,
    "bench": bench,
    "demo": demo,
}
