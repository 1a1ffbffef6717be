"""The rule, which cells fire, and the stages from coarse to fine; the engine's core, without images or files."""
