"""Blind polynomial chaos: a quadratic map of hidden normal variables, learned from its outputs alone."""

import numpy as np
from wickring.learn import QuadraticMap

rng = np.random.default_rng(7)
q = rng.normal(size=(6, 3, 3))
q += q.transpose(0, 2, 1)
z = rng.normal(size=(20_000, 3))
outputs = np.einsum("ni,aij,nj->na", z, q, z)

model = QuadraticMap(random_state=0).fit(outputs)
print(f"{model.status_}: {model.n_latent_} hidden variables behind {outputs.shape[1]} outputs")
for check in model.certificate_["checks"][:5]:
    print(f"  {check['label']}: {check['measured']:.2e} (at most {check['allowed']:.2e})")
drawn = model.sample(100_000, random_state=1)
print("third moments, data and model:", np.round([(outputs[:, 0] ** 3).mean(), (drawn[:, 0] ** 3).mean()], 0))
assert model.converged_ and model.n_latent_ == 3
