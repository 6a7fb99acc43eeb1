"""The table that the bench prints."""

import statistics
import sys


def percentile(values, share):
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * len(ordered) * 1000) // 1000) - 1))]


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, ours, peer="", ratio="", limit="", holds=None):
        verdict = "" if holds is None else ("holds" if holds else "MISSED")
        self.rows.append([what, ours, peer, ratio, limit, verdict])
        # Whoever waits for the table sees it grow.
        print("  | ".join(cell for cell in self.rows[-1] if cell), file=sys.stderr, flush=True)

    def show(self):
        rows = [["measure", "Pagewright", "peer, same minute", "ratio", "limit", ""]] + self.rows
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        for number, row in enumerate(rows):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
            if number == 0:
                print("  ".join("-" * width for width in widths).rstrip())


def milliseconds(seconds):
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def median(values):
    return statistics.median(values)
