"""Screens of the loop: data sets, candidates, promotions, and what an id hangs together with."""
