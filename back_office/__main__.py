"""`python -m back_office`: the command line."""

from back_office.cli import main

raise SystemExit(main())
