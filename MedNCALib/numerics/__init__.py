"""Matrices for resampling, and the threads of the linear algebra library."""
