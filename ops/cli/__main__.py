"""`python -m ops.cli`: how the supervisor starts its children, whatever is on the PATH."""

import sys

from ops.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
