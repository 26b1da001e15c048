"""The folders of a project that runs share: one run at a time, and put back after a kill."""
