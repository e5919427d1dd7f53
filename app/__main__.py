"""`python -m app`: what `./rimay` ends in."""

import sys

from app.cli import main

sys.exit(main())
