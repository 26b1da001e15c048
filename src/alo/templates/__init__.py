"""The projects that ``alo init`` makes: ``common/`` goes into each, then the template's own folder.

They are files to copy, not code of this package: nothing imports them. ``SOLUTION_NAME`` in a plan
or a README.md becomes the name of the new solution; ``gitignore`` gets its dot.
"""
