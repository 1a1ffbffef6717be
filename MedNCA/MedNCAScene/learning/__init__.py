"""Teaching a model with the user's own cases: which they are, the folder of a training, and its process."""
