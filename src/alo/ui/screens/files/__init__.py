"""The screens of one file of a run: any, a picture, a table."""
