"""From an image and a model, step by step, to the result."""
