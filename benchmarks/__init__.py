"""Measured comparisons with vectorbt, backtesting.py and a bare loop: `python -m benchmarks`."""
