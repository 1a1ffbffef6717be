"""Stand-in for the module ``slicer.i18n``: the application runs in English, so a text is its own translation."""


def translate(context, text):
    """The text in the language of the application."""
    return text


def tr(text):
    """The text in the language of the application; the context is the calling file."""
    if not isinstance(text, str):
        raise TypeError(f"tr() takes a string, not {text!r}")
    return text
