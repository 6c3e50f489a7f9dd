# Copyright (C) The wholesale gateway authors

"""Figures, and tables of them: Markdown that can be read as it is."""

import dataclasses
import statistics


@dataclasses.dataclass
class Figure:
    """The median of the rounds, and how far they are apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits=1):
        return f"{self.median:,.{digits}f}"

    def spread(self, digits=1):
        return f"{self.least:,.{digits}f} to {self.most:,.{digits}f}"


def of(samples, name):
    return Figure.of(getattr(sample, name) for sample in samples)


def table(head, rows):
    """The first column is text, the others are numbers."""

    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]

    def line(row):
        return "| " + " | ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))) + " |"

    rule = "|" + "|".join(
        "-" * (width + 2) if i == 0 else "-" * (width + 1) + ":"
        for i, width in enumerate(widths)) + "|"

    return "\n".join((line(cells[0]), rule, *map(line, cells[1:])))
