"""Run this solution: ``python main.py --mode train``. The command ``alo run`` does the same."""

import sys
from pathlib import Path

# What programs made for ALO 2.x look for, and call from their own process.
from src.alo import ALO

from alo.cli.main import main

__all__ = ["ALO"]

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.exit(main(["run", "--project", str(here), *sys.argv[1:]]))
