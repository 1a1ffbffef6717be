"""How a command ends."""

DONE = 0
SOME_FAILED = 1  # the rest is done
FAILED = 2  # nothing is done
STOPPED = 130  # what shells report for a program that was stopped with Ctrl-C: 128 + SIGINT
