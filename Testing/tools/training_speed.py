"""How long training's steps take on this machine, in float32 and in bfloat16.

    python Testing/tools/training_speed.py

Prints milliseconds for 8 steps, forward and backward, of 8 samples of 64 x 64 cells with one thread: medians, measured
in turn. `fast_in_bfloat16` chooses by it.
"""

import time
from dataclasses import replace
from statistics import median

import torch

from MedNCALib.training.network import Automaton
from MedNCALib.training.preset import load_preset

SAMPLES, SIZE, STEPS, REPETITIONS = 8, 64, 8, 9


def main() -> None:
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


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
