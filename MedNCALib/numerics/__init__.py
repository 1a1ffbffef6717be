"""Matrices and threads that everything else stands on."""
