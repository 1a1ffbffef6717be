"""From an image and a model through the steps of a run to the result."""
