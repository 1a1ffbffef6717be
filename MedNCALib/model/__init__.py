"""The model folder: card, weights and labels."""
