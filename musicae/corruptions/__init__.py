"""Corruptions: functions of ``(batch, generator)`` that make a task's input from its clean target.

Each factory takes the settings of a preset's ``[corruption]`` and returns such a function.
The result depends on the batch and the generator alone, so training resumes to the bit.
"""
