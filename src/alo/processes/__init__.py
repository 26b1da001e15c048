"""Processes of ours: started, talked to, ended with all of theirs; nothing here knows of runs."""
