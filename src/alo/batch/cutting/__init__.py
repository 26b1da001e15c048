"""The input of a batch in shards: each as the whole would be, with fewer rows or files.

``inputs:list_inputs(home, paths, target, access)`` lists the files in the order of the input,
``cut:cut(files, shards= | rows_per_shard= | files_per_shard=)`` makes a ``shard:Cut`` of them,
``write:write_shard(shard, folder)`` stages a shard, and ``parts:halves(shard)`` and
``parts:sample_rows(cut, rows)`` make shards of fewer rows.
"""
