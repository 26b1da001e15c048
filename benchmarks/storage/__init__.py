"""Bytes that stay or come from elsewhere: data, exports, values of steps, history."""
