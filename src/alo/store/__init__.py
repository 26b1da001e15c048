"""The step store: data and config between steps in file mode, kept below ``.asset_interface/``."""

from alo.store.manifest import StoredStep, StoredValue
from alo.store.steps import StepStore

__all__ = ["StepStore", "StoredStep", "StoredValue"]
