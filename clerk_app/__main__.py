"""`python -m clerk_app` is `clerk-app`."""

import sys

from clerk_app.cli import main

sys.exit(main())
