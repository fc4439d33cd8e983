"""Hold the exercises in code, by chapter: what a right function must do, and the mistakes, each with its hint."""

from . import chapters_01_to_05, chapters_06_to_09, chapters_10_to_14
from .task import Task

__all__ = ["TASKS", "Task"]

TASKS = {**chapters_01_to_05.TASKS, **chapters_06_to_09.TASKS, **chapters_10_to_14.TASKS}
"""The exercises in code, by their names."""
