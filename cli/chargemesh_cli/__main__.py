"""`python -m chargemesh_cli`: the same as the `chargemesh` command."""

from __future__ import annotations

import sys

from chargemesh_cli.main import main

sys.exit(main())
