"""What a preset's ``[evaluation]`` names: suites of figures on held-out data, one module a task.

A suite is a function. Its parameters without a default are given to it by their names: ``codec``, the splits ``train``
and ``test`` of the preset's data set, ``folders`` (where other sets lie, by their names), ``limit`` (how many
pictures or windows to take, or None) and ``against`` (other programs to measure, by their names). Its keywords are the
settings of ``[evaluation]``. It returns a flat dictionary; ``floor_X`` is what a simple rival reaches, ``spread_X``
half of the 95 % confidence interval of ``X``.
"""
