"""Gather the throws of all seeds."""

import statistics


def average(throw):
    """`throw` is a list: what the task of that name left for each seed."""
    values = [result["pi"] for result in throw]
    return {"mean_pi": statistics.mean(values), "spread": statistics.stdev(values)}
