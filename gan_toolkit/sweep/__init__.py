"""Sweeps: one recipe trained many times, over seeds or over a search space, by many workers.

Optuna keeps the ledger and proposes points; each trial is an ordinary run in a process of its own.
"""
