"""PARAFAC of fluorescence with missing data: excitation x emission x sample, the scattering band masked out."""

import warnings

import numpy as np
import wickring

rng = np.random.default_rng(0)
excitation, emission = np.linspace(250, 450, 20), np.linspace(260, 560, 30)


def band(at: float, width: float, over: np.ndarray) -> np.ndarray:
    """A spectrum with one peak."""
    return np.exp(-0.5 * ((over - at) / width) ** 2)


fluorophores = [(275, 305, 9.0), (340, 450, 12.0), (310, 380, 7.0)]
a = np.array([band(x, 18, excitation) for x, _, _ in fluorophores]).T
b = np.array([band(m, 25, emission) for _, m, _ in fluorophores]).T
c = rng.uniform(0.2, 1.0, size=(12, 3)) * [s for _, _, s in fluorophores]
data = np.einsum("ir,jr,kr->ijk", a, b, c) + 1e-3 * rng.normal(size=(20, 30, 12))
data[abs(excitation[:, None] - emission[None, :]) < 15] = np.nan  # Rayleigh scattering: not measured

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # noise of unknown size: the status is for the reader to judge
    fit = wickring.cp(data, 3, missing="mask", random_state=0)
print(f"{fit.status}, relative residual {fit.rel_residual:.1e} on {np.isfinite(data).mean():.0%} of the entries")
peaks = sorted((float(excitation[abs(fit.model.factors[0][:, r]).argmax()]),
                float(emission[abs(fit.model.factors[1][:, r]).argmax()])) for r in range(3))
print("peaks (excitation, emission):", [(round(x), round(m)) for x, m in peaks])
assert fit.rel_residual < 0.01
