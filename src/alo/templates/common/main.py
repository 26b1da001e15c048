"""Run this solution: ``python main.py --mode train``. The command ``alo run`` does the same."""

import argparse
import sys

from alo.errors import AloError
from src.alo import ALO


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the pipelines of this solution.")
    parser.add_argument("--config", metavar="FILE", help="another plan than solution/experimental_plan.yaml")
    parser.add_argument("--system", metavar="FILE|JSON", help="solution metadata that overrides the plan")
    parser.add_argument("--mode", choices=["train", "inference", "all"], default="all")
    parser.add_argument("--loop", action="store_true", help="keep on serving inference requests")
    parser.add_argument("--computing", default="local", help="where the steps run")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        ALO(**vars(read_arguments())).main()
    except AloError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
