"""The rule that compares a candidate with the deployed model on the same test rows."""
