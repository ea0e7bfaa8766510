"""How much of a stream is in memory at once."""

from __future__ import annotations

from surefoot.data.npz import memory_bytes

# Data that would take a larger share of the free memory are read in a stream.
FREE_SHARE = 0.5
# Rows that are shuffled together: at most as many, and as many bytes. Two such windows are in
# memory, the one that trains and the next.
WINDOW_ROWS, WINDOW_BYTES = 1 << 20, 1 << 27
# Rows that are read at once. To begin to read 30 columns takes DuckDB 9 ms, and to read 32,768 rows
# of them 15 ms more (measured on one core); a window shall hold many blocks.
BLOCK_ROWS, BLOCK_BYTES = 1 << 15, 1 << 23
# What stays in memory: rows that columns are fitted on and the trained net is measured on, and rows
# for validation. At 100,000 rows the mean of a column is known to 0.3 % of its spread.
SAMPLE_ROWS, VALIDATION_ROWS, RESIDENT_BYTES = 100_000, 50_000, 1 << 27
# Of memory that DuckDB may take for one pass over a file.
PASS_BYTES = 600 * 10**6


def resident_rows(most: int, row_bytes: int) -> int:
    """Return how many rows may stay in memory.

    Args:
        most: of them, however small they are.
        row_bytes: of one row.
    """
    # Not of the free memory: the same recipe shall draw the same rows.
    room = min(RESIDENT_BYTES, memory_bytes() // 32)
    return max(1, min(most, room // max(1, row_bytes)))


def window_blocks(block_rows: int, row_bytes: int) -> int:
    """Return how many blocks are shuffled together.

    Args:
        block_rows: of the largest block.
        row_bytes: of one row that is ready for the step.
    """
    room = min(WINDOW_BYTES, memory_bytes() // 32)
    rows = min(WINDOW_ROWS, room // max(1, row_bytes))
    return max(1, rows // max(1, block_rows))
