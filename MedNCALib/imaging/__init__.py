"""Voxels in physical space: axes, slices, intensities, labels. Independent of models."""
