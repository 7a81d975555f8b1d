"""`python -m flows.cli` is the `sourcenote` command."""

import sys

from flows.cli import main

sys.exit(main())
