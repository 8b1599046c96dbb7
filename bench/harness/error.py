# SPDX-License-Identifier: BSD-2-Clause
"""What can go wrong during a run without ending it."""


class BenchError(Exception):
    """One sample cannot be had; its text says why, for the person who runs the bench."""


class Missing(BenchError):
    """A program is not installed: its set-up or measure is left out."""

    def __init__(self, program, package):
        super().__init__(f"{program} is missing (Debian: apt install {package})")
