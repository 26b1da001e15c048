"""The screens of reviews: the list, the records, deciding one at a time, what differs."""
