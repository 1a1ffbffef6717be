"""The command line; nothing else in the library prints."""
