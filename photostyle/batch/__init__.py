"""Thousands of photographs: what is to be made, by whom, and what became of it.

`lines` reads a file of jobs or a folder, `plan` makes tasks of it, an engine (`local`, `ray`) runs `work` on each,
`run` hands them out and tries again, `journal` remembers, `storage` reads and writes, here or elsewhere. To be
imported by module: a worker process should not load what it does not need.
"""
