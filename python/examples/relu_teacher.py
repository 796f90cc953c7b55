"""A student that finds its relu teacher exactly, inside a scikit-learn pipeline."""

import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from wickring.learn import ReluRegressor

rng = np.random.default_rng(0)
x = rng.normal(size=(4000, 5))
a = rng.normal(size=(5, 2))
y = np.maximum(x @ a, 0) @ [1.0, -2.0]

student = make_pipeline(ReluRegressor(2, random_state=0)).fit(x, y)
fresh = rng.normal(size=(1000, 5))
error = abs(student.predict(fresh) - np.maximum(fresh @ a, 0) @ [1.0, -2.0]).max()
print(f"{student[-1].status_}: largest error at fresh points {error:.1e}")
print("R^2 under cross-validation:", cross_val_score(student, x, y, cv=2))
assert error < 1e-9
