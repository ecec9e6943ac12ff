"""Excess risk of logistic regression on the sphere against the number of training examples.

x is uniform on the unit sphere of d = 100 dimensions, its label is the side of a hyperplane through the origin, and one label in five is flipped: the setting
of Figure 2 of Alabdulmohsin, Neyshabur, Zhai 2022, arXiv:2209.06640. A classifier that errs with angle t to that hyperplane is wrong where the best one is not
on a share t/pi of the sphere, so that its excess risk is exactly (1 - 2 noise) t/pi: no test set is drawn.

    python3 examples/logistic_regression.py > examples/logistic-regression.csv     # a minute on one core; needs numpy
    python3 examples/logistic_regression.py 100 1000                               # these sizes alone, the same rows
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by numpy's BLAS when it is loaded; the matrices are too small to share

import sys

import numpy as np

DIMENSIONS, NOISE, PENALTY = 100, 0.2, 1e-3
SIZES = [round(10 ** (1 + i / 8)) for i in range(33)]  # 10 to 100,000


def fitted(x, label):
    """Newton's method on sum log(1 + exp(-label x.w)) + PENALTY/2 |w|^2; the small penalty gives separable data a minimum, near their maximal margin."""
    signed = label[:, None] * x

    def objective(w):
        return np.logaddexp(0, -(signed @ w)).sum() + PENALTY / 2 * w @ w

    w = np.zeros(x.shape[1])
    for _ in range(100):
        wrong = 0.5 * (1 - np.tanh(signed @ w / 2))  # 1/(1 + e^margin)
        root = np.sqrt(wrong * (1 - wrong))[:, None] * x
        gradient = PENALTY * w - signed.T @ wrong
        step = np.linalg.solve(root.T @ root + PENALTY * np.eye(len(w)), gradient)
        if gradient @ step < 1e-12:
            return w
        length = 1.0
        while objective(w - length * step) > objective(w):
            length /= 2
        w = w - length * step
    raise RuntimeError(f"no convergence with {len(x)} examples")


def excess_risk(size, replicate):
    random = np.random.default_rng([size, replicate])
    x = random.standard_normal((size, DIMENSIONS))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    label = np.where((x[:, 0] > 0) ^ (random.random(size) < NOISE), 1.0, -1.0)
    w = fitted(x, label)
    return (1 - 2 * NOISE) * np.arctan2(np.linalg.norm(w[1:]), w[0]) / np.pi


print("examples,excess_risk,standard_error,replicates")
for size in [int(word) for word in sys.argv[1:]] or SIZES:
    risks = [excess_risk(size, i) for i in range(int(np.clip(100_000 // size, 16, 400)))]
    print(f"{size},{np.mean(risks):.6g},{np.std(risks, ddof=1) / np.sqrt(len(risks)):.3g},{len(risks)}", flush=True)
