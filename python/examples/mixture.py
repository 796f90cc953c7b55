"""A mixture of normal laws with the number of components from the data."""

import numpy as np
from wickring.learn import GaussianMixture

rng = np.random.default_rng(0)
parts = [(400, [-5, 0], 1.0), (300, [5, 1], 0.5), (300, [0, 6], 0.8)]
x = np.concatenate([rng.normal(m, s, size=(n, 2)) for n, m, s in parts])

model = GaussianMixture((1, 5), random_state=0, n_init=5).fit(x)
print(f"{model.status_}: {len(model.weights_)} components")
for weight, mean, covariance in zip(model.weights_, model.means_, model.covariances_):
    print(f"  weight {weight:.3f}, mean {np.round(mean, 2)}, deviations {np.round(np.sqrt(np.diag(covariance)), 2)}")
print("mean log density:", round(model.score(x), 3), "- labels of one cluster:", set(model.predict(x[:400]).tolist()))
assert len(model.weights_) == 3
