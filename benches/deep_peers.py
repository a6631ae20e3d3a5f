#!/usr/bin/env python3
"""Runs deep networks in JAX beside nnqft-gpu on this machine and prints ratios.

    benches/deep_peers.py [--rounds 5] [--jobs 2:100,3:100,2:1000] [--here] [--binary PATH]

Makes the virtual environment of benches/peers.py and builds the release binary, as told there. The job of every
contender: tanh networks of L hidden layers at their critical point, 6 inputs, the averages of all
products of 2, 4 and 6 outputs. JAX (float32, compilation not counted) draws them in two ways, each
with the best of several batches and of two generators:

weights     every weight, L - 1 matrices of N x N a network, as anyone would write it
covariance  a layer given the one below: N x 6 normals times a Cholesky factor, as an expert would

Ours are in f64 on the CPU, beside JAX on a GPU in f32 on the best adapter. A ratio is the median over rounds of its two rates in the same round.
"""

import argparse
import statistics
import sys
import time

from peers import PACKAGES, add_options, begin, document, on_gpu, rate, where

POINTS = [-1.0, -0.6, -0.2, 0.2, 0.6, 1.0]
assert any(package.startswith("jax") for package in PACKAGES)


def ours(binary, depth, width, nets):
    """Networks per second of a run's sampling."""
    backend = "gpu" if on_gpu() else "cpu"
    shape = f"--arch tanh --critical --depth {depth} --width {width} --backend {backend}"
    sampling = f"--nets {nets} --experiments 2 --orders 2,4,6"
    inputs = ["--inputs", ";".join(map(str, POINTS))]
    run = document(binary, *shape.split(), *sampling.split(), *inputs)
    return 2 * nets / run["timing"]["wall_s"]


def jax_peer(way, depth, width, batch, generator):
    """A function that runs one batch, and the batch's networks."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from itertools import combinations_with_replacement

    x = jnp.array(POINTS, dtype=jnp.float32)
    points = len(POINTS)
    pairs, triples = (
        np.array(list(combinations_with_replacement(range(points), n))) for n in (2, 3)
    )

    def normals(key, *shape):
        # Drawn flat: last axes of a few numbers are slow.
        count = int(np.prod(shape))
        return jax.random.normal(key, (count,)).reshape(shape)

    def by_weights(key, h):
        w = normals(key, batch, width, width)
        return jnp.einsum("bij,bpj->bpi", w, h) / width**0.5

    def by_covariance(key, h):
        c = jnp.einsum("bpj,bqj->bpq", h, h) / width
        # Nearly parallel rows leave float32 without a factor.
        factor = jnp.linalg.cholesky(c + 1e-6 * jnp.eye(points))
        return jnp.einsum("bpq,bqj->bpj", factor, normals(key, batch, points, width))

    layer = by_weights if way == "weights" else by_covariance

    def moments(key):
        keys = jax.random.split(key, depth + 1)
        h = jnp.tanh(x[:, None] * normals(keys[0], batch, 1, width))
        for k in keys[1:depth]:
            h = jnp.tanh(layer(k, h))
        f = jnp.einsum("bpj,bj->bp", h, normals(keys[depth], batch, width)) / width**0.5
        p, t = jnp.prod(f[:, pairs], axis=2), jnp.prod(f[:, triples], axis=2)
        return [m.T @ m / batch for m in (f, p, t)]

    step = jax.jit(moments)
    impl = {"threefry": "threefry2x32", "rbg": "unsafe_rbg"}[generator]
    keys = iter(jax.random.split(jax.random.key(0, impl=impl), 100_000))
    jax.block_until_ready(step(next(keys)))
    return lambda: jax.block_until_ready(step(next(keys))), batch


def best(way, depth, width):
    """The fastest batch and generator, by a short trial of each."""
    batches = (100, 300, 1000, 3000) if width <= 100 else (10, 30, 100)
    if on_gpu():
        batches = tuple(30 * batch for batch in batches)
    trials = {}
    for generator in ("threefry", "rbg"):
        for batch in batches:
            peer = jax_peer(way, depth, width, batch, generator)
            trials[generator, batch] = (rate(*peer, 0.5), peer)
    choice = max(trials, key=lambda k: trials[k][0])
    return f"jax {way}: {choice[0]}, batches of {choice[1]}", trials[choice][1]


def compare(binary, depth, width, rounds):
    notes, peers = [], {}
    for way in ("weights", "covariance"):
        note, peers[way] = best(way, depth, width)
        notes.append(note)
    nets = max(10_000, 20_000_000 // (depth * width)) * (100 if on_gpu() else 1)
    rows = []
    for _ in range(rounds):
        row = {"ours": ours(binary, depth, width, nets)}
        row.update((way, rate(*peer, 2.0)) for way, peer in peers.items())
        rows.append(row)
    print(f"\ntanh L = {depth}, N = {width}; {'; '.join(notes)}")
    for name in rows[0]:
        line = f"{name:12}{statistics.median(row[name] for row in rows):12.3g} networks/s"
        if name != "ours":
            line += f"{statistics.median(row['ours'] / row[name] for row in rows):9.3g} times slower than ours"
        print(line)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_options(parser)
    parser.add_argument("--jobs", default="2:100,3:100,2:1000", help="depth:width, separated by commas")
    options = parser.parse_args()
    binary = begin(options)
    print(f"{where()}, {options.rounds} rounds")
    for job in options.jobs.split(","):
        depth, width = map(int, job.split(":"))
        compare(binary, depth, width, options.rounds)


if __name__ == "__main__":
    main()
