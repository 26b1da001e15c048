"""ALO from Python: what notebooks and programs call. The package ``alo`` hands the names out."""
