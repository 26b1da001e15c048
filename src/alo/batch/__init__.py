"""Many runs at once: sweeps."""
