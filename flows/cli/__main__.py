"""`python -m flows.cli` is the `sourcenote` command."""

import gc
import sys


def run() -> int:
    """The command as a process of its own; returns its exit code.

    What is imported stays, and while it comes nothing is garbage: looking for it takes a tenth of a
    short command's time. `flows.cli.call` has it looked for from where a warehouse is opened.
    """
    gc.disable()
    from flows.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
