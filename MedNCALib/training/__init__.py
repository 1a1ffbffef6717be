"""Training of a model from folders of images and labels: the only part of the engine that needs PyTorch."""

from .train import train

__all__ = ["train"]
