"""Other models for services that run: switched to, checked, compared in the shadow."""
