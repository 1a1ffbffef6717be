"""The rule, which cells fire, and the stages from coarse to fine: the core of the engine, without images or files."""
