"""Scripts that measure; ``python -m benchmarks`` runs them all. No part of wheel or tests."""
