"""Test error of stochastic gradient descent with a constant step against the number of steps: a curve that is no power law.

Linear regression on d = 100 normal inputs, one new example a step, y = x.w + noise: w starts at 0, the truth has norm 1. The squared distance r to the truth obeys
r' = (1 - 2 step + step^2 (d + 2)) r + step^2 d noise^2 on average (moments of the normal distribution), so that the test error noise^2 + r falls
exponentially to a floor: with the numbers below as 0.33389 + 0.91611 exp(-steps/133.73). Every row has runs of its own, so that errors are independent.

    python3 examples/sgd.py > examples/sgd.csv     # half a minute on one core; needs numpy
    python3 examples/sgd.py 25 50                  # these numbers of steps alone, the same rows
"""

import sys

import numpy as np

DIMENSIONS, NOISE, STEP, REPLICATES = 100, 0.5, 0.005, 400
STEPS = range(25, 1001, 25)


def test_errors(steps):
    random = np.random.default_rng(steps)
    error = np.zeros((REPLICATES, DIMENSIONS))
    error[:, 0] = 1  # truth - w; the inputs are isotropic: one direction is as good as another
    for _ in range(steps):
        x = random.standard_normal((REPLICATES, DIMENSIONS))
        residual = (x * error).sum(axis=1) + NOISE * random.standard_normal(REPLICATES)
        error -= STEP * residual[:, None] * x
    return NOISE**2 + (error**2).sum(axis=1)


print("steps,test_error,standard_error,replicates")
for steps in [int(word) for word in sys.argv[1:]] or STEPS:
    errors = test_errors(steps)
    print(f"{steps},{np.mean(errors):.6g},{np.std(errors, ddof=1) / np.sqrt(REPLICATES):.3g},{REPLICATES}", flush=True)
