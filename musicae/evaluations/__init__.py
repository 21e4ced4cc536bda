"""The suites of figures on held-out data that a preset's ``[evaluation]`` names, one module a task.

A suite is a function. Its parameters without a default are passed by name: ``codec``, the splits ``train``
and ``test`` of the preset's data set, ``folders`` (of other data sets, by name), ``limit`` (how many
pictures or windows to use, or None) and ``against`` (names of other programs to measure). Its keywords are the
settings of ``[evaluation]``. It returns a flat dictionary; ``floor_X`` is the figure of a simple rival, ``spread_X``
half of the 95 % confidence interval of ``X``.
"""
