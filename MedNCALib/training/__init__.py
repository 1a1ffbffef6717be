"""Training of a model from folders of images and labels: the only part of the engine that needs PyTorch."""

from .run import train

__all__ = ["train"]
