"""Throw darts at a square and count those inside the circle: throw.py DARTS SEED."""

import random
import sys

darts, seed = int(sys.argv[1]), int(sys.argv[2])
generator = random.Random(seed)
inside = sum(generator.random() ** 2 + generator.random() ** 2 < 1 for _ in range(darts))
print(f"pi={4 * inside / darts}")
