"""What the views show; nothing here is saved with the scene."""
