"""Models, volumes and assertions that tests import; never a test."""
