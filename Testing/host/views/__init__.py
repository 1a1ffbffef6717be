"""Slice views and 3D views: rendering, pictures, mouse."""
