#!/usr/bin/env python3
"""Trains ensembles in JAX beside nnqft-gpu on this machine and prints ratios.

    benches/train_peers.py [--rounds 5] [--width 100] [--steps 100] [--gpu] [--here] [--binary PATH]

Makes the virtual environment of benches/peers.py and builds the release binary, as told there. The job of every
contender: draw tanh networks of one hidden layer, train all parameters of each by itself on 6 points
for so many steps of full-batch gradient descent, average all outputs and their products. JAX
(float32, vmap over networks and jit, compilation not counted) takes the best of several batches and
of two ways to write the gradient:

grad      jax.grad of the loss, as anyone would write it
formulas  the gradient in closed form, as an expert would

Ours are in f64 on the CPU and, with --gpu, in f32 on the best adapter. A ratio is the median over
rounds of its two rates in the same round.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from peers import PACKAGES, add_options, begin, on_gpu, rate, where

POINTS = [-1.0, -0.6, -0.2, 0.2, 0.6, 1.0]
TARGETS = [0.5, 0.1, -0.3, -0.3, 0.4, 1.0]
SIGMA_W, SIGMA_B, RATE = 1.5, 0.5, 0.05
CHECKED = 2048
assert any(package.startswith("jax") for package in PACKAGES)


def ours(binary, backend, width, steps, nets):
    """Networks per second of a run, with those that its four checks train, from start to end of the program."""
    data = ";".join(f"{x}={y}" for x, y in zip(POINTS, TARGETS))
    options = f"--arch tanh --width {width} --sigma-w {SIGMA_W} --sigma-b {SIGMA_B} --rate {RATE}"
    sampling = f"--steps {steps} --nets {nets} --orders 1,2 --inputs 0.0 --backend {backend}"
    command = [binary, "train", *options.split(), *sampling.split(), "--data", data, "--json", "-q"]
    start = time.perf_counter()
    json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return (nets + 4 * CHECKED) / (time.perf_counter() - start)


def jax_peer(way, width, steps, batch):
    """A function that trains one batch, and the batch's networks."""
    import jax
    import jax.numpy as jnp

    x, y = (jnp.array(v, dtype=jnp.float32) for v in (POINTS, TARGETS))
    scale = SIGMA_W / width**0.5

    def output(network):
        w0, b0, w1, b1 = network
        h = jnp.tanh(SIGMA_W * x[:, None] * w0 + SIGMA_B * b0)
        return scale * h @ w1 + SIGMA_B * b1, h

    def loss(network):
        return 0.5 * jnp.sum((output(network)[0] - y) ** 2)

    def formulas(network):
        w0, b0, w1, b1 = network
        f, h = output(network)
        error = f - y
        back = scale * error[:, None] * w1 * (1.0 - h * h)
        return SIGMA_W * x @ back, SIGMA_B * back.sum(0), scale * error @ h, SIGMA_B * error.sum()

    gradient = jax.grad(loss) if way == "grad" else formulas

    def step(_, network):
        return jax.tree.map(lambda p, g: p - RATE * g, network, gradient(network))

    def train(key):
        keys = jax.random.split(key, 4)
        network = [jax.random.normal(k, (batch, width)) for k in keys[:3]]
        network = (*network, jax.random.normal(keys[3], (batch,)))
        trained = jax.lax.fori_loop(0, steps, lambda k, n: jax.vmap(step, (None, 0))(k, n), network)
        f = jax.vmap(output)(trained)[0]
        return f.mean(0), f.T @ f / batch

    run = jax.jit(train)
    keys = iter(jax.random.split(jax.random.key(0), 100_000))
    jax.block_until_ready(run(next(keys)))
    return lambda: jax.block_until_ready(run(next(keys))), batch


def best(way, width, steps):
    """The fastest batch, by a short trial of each."""
    trials = {}
    for batch in (10, 30, 100, 300, 1000, 3000):
        batch *= 100 if on_gpu() else 1
        peer = jax_peer(way, width, steps, batch)
        trials[batch] = (rate(*peer, 0.5), peer)
    choice = max(trials, key=lambda k: trials[k][0])
    return choice, trials[choice][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_options(parser)
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--gpu", action="store_true")
    options = parser.parse_args()
    binary = begin(options)
    shape = (options.width, options.steps)
    batches, peers = {}, {}
    for way in ("grad", "formulas"):
        batches[way], peers[way] = best(way, *shape)
    backends = ["gpu"] if on_gpu() else ["cpu", "gpu"] if options.gpu else ["cpu"]
    nets = max(10_000, 400_000_000 // (options.width * options.steps)) * (100 if on_gpu() else 1)
    rows = []
    for _ in range(options.rounds):
        row = {backend: ours(binary, backend, *shape, nets) for backend in backends}
        row.update((way, rate(*peer, 2.0)) for way, peer in peers.items())
        rows.append(row)
    print(f"{where()}, {options.rounds} rounds: tanh N = {options.width}, 6 data points, {options.steps} steps")
    for name in rows[0]:
        line = f"{name:10}{statistics.median(row[name] for row in rows):12.4g} networks/s"
        for way in batches:
            line += f"{statistics.median(row[name] / row[way] for row in rows):9.3g} / {way}"
        print(line)
    print("batches of JAX:", ", ".join(f"{way} {batch}" for way, batch in batches.items()))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
