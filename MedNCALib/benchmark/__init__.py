"""How fast the kernels and the models are on this machine."""
