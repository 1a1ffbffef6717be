"""Voxels in physical space: axes, slices, intensities, labels. Knows no model."""
