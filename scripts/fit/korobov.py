#!/usr/bin/env python3
"""The generator of the rank-1 rule, src/theory/average/rank_one.rs.

The merit of a generator a is the squared worst error of the rule with the vector 1, a, a^2, .. mod N,
over functions of DIMENSIONS variables on the unit cube that are periodic and whose mixed second
derivatives are bounded, each variable with the weight WEIGHT: the mean over the nodes of
prod (1 + WEIGHT 2 pi^2 B_2(x)) - 1, B_2 being Bernoulli's polynomial. `--search` looks for better ones.
"""

import math
import random
import re
import sys

import report
from source import texts

DIMENSIONS = 8
WEIGHT = 0.7


def constant(name):
    (found,) = [m for text in texts("rs") for m in re.findall(rf"const {name}: u64 = ([\d_]+);", text)]
    return int(found.replace("_", ""))


def merit(generator, nodes):
    vector = [1]
    while len(vector) < DIMENSIONS:
        vector.append(vector[-1] * generator % nodes)
    factor = 2 * WEIGHT * math.pi**2
    of = [1 + factor * ((x / nodes) ** 2 - x / nodes + 1 / 6) for x in range(nodes)]
    total = 0.0
    # The other half of the nodes is the mirror image.
    for j in range(1, nodes // 2 + 1):
        product = 1.0
        for z in vector:
            product *= of[j * z % nodes]
        total += product
    return (2 * total + of[0] ** DIMENSIONS) / nodes - 1


nodes, generator = constant("NODES"), constant("GENERATOR")
draw = random.Random(1)
if "--search" in sys.argv:
    best = merit(generator, nodes)
    while True:
        other = draw.randrange(2, nodes // 2)
        if (found := merit(other, nodes)) < best:
            best = found
            print(other, best, flush=True)
others = sorted(merit(draw.randrange(2, nodes // 2), nodes) for _ in range(9))
report.title(f"rank-1 rule of {nodes} nodes in {DIMENSIONS} dimensions, merit", others[0])
report.line("median of nine others", others[4])
report.line("generator of the source", merit(generator, nodes), 0.0581)
report.finish()
