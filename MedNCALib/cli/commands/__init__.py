"""The commands, by the name that they have on the command line.

Each module has the texts `SUMMARY` and `DETAILS`, which say what the command does, `add_options(parser)`, and
`run(options)`, which returns the exit code if it is not 0. The texts are no docstrings, which Python can leave out.
"""

from . import bench, bids, collect, demo, evaluate, import_reference, models, segment, train

COMMANDS = {
    "models": models,
    "segment": segment,
    "collect": collect,
    "bids": bids,
    "evaluate": evaluate,
    "train": train,
    "import-reference": import_reference,
    "bench": bench,
    "demo": demo,
}
