from __future__ import annotations

from gan_toolkit.testing.counting import code_lines

MODULE = '''
"""A module."""

import math


class Shape:
    """Two lines
    of text."""

    # a comment
    width = 1  # another

    def area(self):
        """One line."""

        return math.pow(
            self.width, 2,
        )

    def nothing(self):
        """Nothing but this."""


def make():
    return Shape()
'''


def test_lines_of_code_are_counted_and_nothing_else():
    """`Shape`: class, width, def, three of the return, def."""
    assert code_lines(MODULE) == {"Shape": 7, "make": 2}
