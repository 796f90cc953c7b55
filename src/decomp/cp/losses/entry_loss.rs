//! The losses, entry by entry.
//!
//! | loss | `f(x, m)` up to a term of `x` alone | data | model entry `m` |
//! |---|---|---|---|
//! | Poisson | `m - x log m` | `x >= 0` | the rate, `m >= 0` |
//! | gamma | `x / m + log m` | `x > 0` | the mean, `m > 0` |
//! | logit | `log(1 + e^m) - x m` | `0 <= x <= 1` | the log odds, any |
//! | Huber | `e^2 / 2` where `|e| <= D`, else `D |e| - D^2 / 2`, with `e = x - m` | any | the entry, any |
//!
//! Source: Hong, Kolda, Duersch 2020 (generalised CP); McCullagh and Nelder 1989 for deviances.

/// What a deviation of the model from an entry costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EntryLoss {
    /// Counts: the likelihood of independent Poisson entries whose rates are the model, nonnegative factors.
    Poisson,
    /// Positive entries whose spread grows with their mean: gamma entries of one shape, nonnegative factors.
    Gamma,
    /// Zeros and ones, or shares between them: the model gives the log odds, factors of any sign.
    Logit,
    /// Squares up to this distance from the model, linear beyond: entries with outliers, factors of any sign.
    Huber(f64),
}

impl EntryLoss {
    /// The word under which commands take the loss.
    ///
    /// # Example
    /// ```
    /// assert_eq!(wickring::decomp::EntryLoss::Huber(0.5).to_string(), "huber:0.5");
    /// assert_eq!(wickring::decomp::EntryLoss::Poisson.word(), "poisson");
    /// ```
    pub fn word(self) -> &'static str {
        match self {
            Self::Poisson => "poisson",
            Self::Gamma => "gamma",
            Self::Logit => "logit",
            Self::Huber(_) => "huber",
        }
    }

    /// Whether factors are nonnegative.
    ///
    /// # Example
    /// ```
    /// use wickring::decomp::EntryLoss;
    /// assert!(EntryLoss::Gamma.is_nonnegative() && !EntryLoss::Logit.is_nonnegative());
    /// ```
    pub fn is_nonnegative(self) -> bool {
        matches!(self, Self::Poisson | Self::Gamma)
    }

    /// The expected entry where the model says `m`: `1 / (1 + e^-m)` for log odds, else `m`.
    ///
    /// # Example
    /// ```
    /// use wickring::decomp::EntryLoss;
    /// assert_eq!(EntryLoss::Logit.expected(0.0), 0.5);
    /// assert_eq!(EntryLoss::Poisson.expected(3.0), 3.0);
    /// ```
    pub fn expected(self, m: f64) -> f64 {
        match self {
            Self::Logit => logistic(m),
            _ => m,
        }
    }

    /// Half of the unit deviance: `f(x, m) - min over m of f(x, m)`, nonnegative; infinite outside of the domain.
    ///
    /// # Example
    /// ```
    /// use wickring::decomp::EntryLoss;
    /// assert_eq!(EntryLoss::Poisson.excess(0.0, 2.0), 2.0);
    /// assert_eq!(EntryLoss::Huber(1.0).excess(0.0, 3.0), 2.5);
    /// assert!(EntryLoss::Gamma.excess(5.0, 5.0) == 0.0 && EntryLoss::Gamma.excess(5.0, 0.0).is_infinite());
    /// ```
    pub fn excess(self, x: f64, m: f64) -> f64 {
        let value = match self {
            Self::Poisson if x == 0.0 => m,
            Self::Poisson => x * above_line((m - x) / x),
            Self::Gamma => above_line((x - m) / m),
            Self::Logit => {
                let entropy = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
                let loss = m.max(0.0) + (-m.abs()).exp().ln_1p() - x * m;
                loss - entropy(x) - entropy(1.0 - x)
            }
            Self::Huber(d) => {
                let e = (x - m).abs();
                if e <= d {
                    0.5 * e * e
                } else {
                    d * (e - 0.5 * d)
                }
            }
        };
        // Rounding may end below zero; NaN stands for a model outside of the domain.
        match value.is_nan() || (self.is_nonnegative() && m < 0.0) {
            true => f64::INFINITY,
            false => value.max(0.0),
        }
    }

    /// The slope in `m`, and a curvature that is not negative: that of the loss where it is convex, for gamma at least half of
    /// that which is expected, for Huber that of the parabola above the loss that touches it at `m` and at its mirror image.
    pub(super) fn slopes(self, x: f64, m: f64) -> (f64, f64) {
        match self {
            Self::Poisson if x == 0.0 => (1.0, 0.0),
            Self::Poisson => (1.0 - x / m, x / m / m),
            Self::Gamma => {
                let (inverse, ratio) = (1.0 / m, x / m);
                let curvature = (2.0 * ratio - 1.0).max(0.5);
                (inverse * (1.0 - ratio), curvature * inverse * inverse)
            }
            Self::Logit => {
                let p = logistic(m);
                (p - x, p * logistic(-m))
            }
            Self::Huber(d) => {
                let e = m - x;
                let weight = if e.abs() <= d { 1.0 } else { d / e.abs() };
                (e * weight, weight)
            }
        }
    }

    /// The share of Pearson's statistic of an entry, `(x - m)^2 / V(m)`, and the entry's share of the degrees of freedom.
    pub(super) fn pearson(self, x: f64, m: f64) -> (f64, f64) {
        let (slope, _) = self.slopes(x, m);
        match self {
            Self::Poisson if x == m => (0.0, 1.0),
            Self::Poisson => ((x - m) * (x - m) / m, 1.0),
            Self::Gamma => (slope * slope * m * m, 1.0),
            Self::Logit => (slope * slope / (logistic(m) * logistic(-m)).max(1e-12), 1.0),
            Self::Huber(d) => (slope * slope, f64::from((x - m).abs() <= d)),
        }
    }

    /// The slope and the excess that a constant model `m` off by its own size has about: units for what is small.
    pub(super) fn units(self, m: f64) -> (f64, f64) {
        match self {
            Self::Poisson => (1.0, m),
            Self::Gamma => (1.0 / m, 1.0),
            Self::Logit => (0.25, 0.25),
            Self::Huber(d) => {
                let reach = m.abs().min(d).max(f64::MIN_POSITIVE);
                (reach, reach * m.abs())
            }
        }
    }

    /// What an entry must be, and what to do where it is not; `None` where `x` is fine.
    pub(super) fn refusal(self, x: f64) -> Option<&'static str> {
        match self {
            Self::Poisson if x < 0.0 => Some(
                "entries must not be negative for the Poisson loss: subtract no background, or use huber or squares",
            ),
            Self::Gamma if x <= 0.0 => Some(
                "entries must be positive for the gamma loss: mark zeros as missing, use poisson where they are counts, \
                 huber or squares otherwise",
            ),
            Self::Logit if !(0.0..=1.0).contains(&x) => Some(
                "entries must lie in 0..=1 for the logit loss: divide shares by their totals, use poisson for counts",
            ),
            _ => None,
        }
    }

    /// The constant model of least loss, for entries of positive weight; `None` without any.
    pub(super) fn constant(self, entries: &[(f64, f64)]) -> Option<f64> {
        let weight: f64 = entries.iter().map(|e| e.1).sum();
        if !(weight > 0.0) {
            return None;
        }
        let mean = entries.iter().map(|e| e.0 * e.1).sum::<f64>() / weight;
        let Self::Huber(_) = self else {
            return Some(self.of_mean(mean));
        };
        // The slope grows with the constant: halve.
        let seen = entries.iter().filter(|e| e.1 > 0.0).map(|e| e.0);
        let (mut low, mut high) = seen.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| {
            (a.min(x), b.max(x))
        });
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            let slope: f64 = entries
                .iter()
                .map(|e| e.1 * self.slopes(e.0, middle).0)
                .sum();
            if slope > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(0.5 * (low + high))
    }

    /// The constant model whose expected entry is `mean`; log odds are kept within 30.
    pub(super) fn of_mean(self, mean: f64) -> f64 {
        match self {
            Self::Logit => (mean / (1.0 - mean)).ln().clamp(-30.0, 30.0),
            _ => mean,
        }
    }
}

impl std::fmt::Display for EntryLoss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Huber(d) => write!(f, "huber:{d}"),
            _ => f.write_str(self.word()),
        }
    }
}

/// `u - log(1 + u)`.
fn above_line(u: f64) -> f64 {
    u - u.ln_1p()
}

fn logistic(m: f64) -> f64 {
    1.0 / (1.0 + (-m).exp())
}
