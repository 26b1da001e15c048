"""The keys of a plan: what each section takes, and how a value is read and described."""
