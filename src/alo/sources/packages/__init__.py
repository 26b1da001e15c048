"""Packages that steps require: read, resolved, installed, tried."""
