"""Double descent: the test error of regression on random features against their number.

The setting of Mei and Montanari 2019, arXiv:1908.05355: x is uniform on the sphere of radius sqrt(d), d = 30; y is linear in x plus noise of a third of its standard
deviation; ridge regression with a small penalty on N features relu(w.x/sqrt(d)), w random, from 300 examples. With few features the error falls, where N
nears the 300 examples it rises to a peak, for the fit then passes through every noisy label at any price, and beyond it falls again, below where it was.

    python3 examples/random_features.py > examples/random-features.csv     # a minute on one core; needs numpy
    python3 examples/random_features.py 30 300                             # these numbers of features alone, the same rows
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by numpy's BLAS when it is loaded

import sys

import numpy as np

DIMENSIONS, EXAMPLES, TESTS, NOISE, PENALTY, REPLICATES = 30, 300, 1000, 1 / 3, 1e-3, 100
FEATURES = [round(10 ** (0.5 + i / 10)) for i in range(36)]  # 3 to 10,000


def test_error(features, replicate):
    random = np.random.default_rng([features, replicate])
    x = random.standard_normal((EXAMPLES + TESTS, DIMENSIONS))
    x *= np.sqrt(DIMENSIONS) / np.linalg.norm(x, axis=1, keepdims=True)
    direction = random.standard_normal(DIMENSIONS)
    truth = x @ direction / np.linalg.norm(direction)  # of mean square 1
    y = truth[:EXAMPLES] + NOISE * random.standard_normal(EXAMPLES)
    z = np.maximum(x @ random.standard_normal((DIMENSIONS, features)) / np.sqrt(DIMENSIONS), 0) / np.sqrt(features)
    train, test = z[:EXAMPLES], z[EXAMPLES:]
    # Whichever of the two forms of the ridge solution has the smaller matrix.
    if features < EXAMPLES:
        predicted = test @ np.linalg.solve(train.T @ train + PENALTY * np.eye(features), train.T @ y)
    else:
        predicted = test @ (train.T @ np.linalg.solve(train @ train.T + PENALTY * np.eye(EXAMPLES), y))
    return np.mean((predicted - truth[EXAMPLES:]) ** 2)


print("features,test_error,standard_error,replicates")
for features in [int(word) for word in sys.argv[1:]] or FEATURES:
    errors = [test_error(features, i) for i in range(REPLICATES)]
    print(f"{features},{np.mean(errors):.6g},{np.std(errors, ddof=1) / np.sqrt(REPLICATES):.3g},{REPLICATES}", flush=True)
