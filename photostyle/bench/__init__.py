"""The bench: recipes over a folder of pairs, measured, timed, and compared with what others published.

`run` plans, reuses and collects; `task` is one result in a process of its own; `summary` counts; `page`
shows. To be imported by module: a worker process should not load what it does not need.
"""
