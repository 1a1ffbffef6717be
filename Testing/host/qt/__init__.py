"""Qt as PythonQt shows it: properties, signals, .ui files."""
