"""What assets are written with: ``from alolib.asset import Asset``; knows nothing of the engine."""
