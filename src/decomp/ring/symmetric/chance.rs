//! How often data without structure leave a small residual.

/// A bound on the probability that a random direction in `entries` dimensions leaves a share of at most `residual` of its
/// length outside of a subspace of `free` dimensions. The share's square has the law Beta(a, b) with `a = (entries - free)/2` and
/// `b = free/2`, whose distribution function is at most `x^a max(1, (1-x)^(b-1)) / (a B(a, b))`.
pub(super) fn by_chance(residual: f64, free: f64, entries: f64) -> f64 {
    let (a, b, x) = (0.5 * (entries - free), 0.5 * free, residual * residual);
    if !(a > 0.0 && b > 0.0 && x < 1.0) {
        return 1.0;
    }
    let beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    let tail = (b - 1.0).min(0.0) * (-x).ln_1p();
    (a * x.ln() + tail - a.ln() - beta).exp().min(1.0)
}

/// `ln Gamma(x)` of a positive multiple of one half: `Gamma(x) = (x - 1) Gamma(x - 1)`, beyond 50 Stirling's series.
fn ln_gamma(mut x: f64) -> f64 {
    if x > 50.0 {
        let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3));
        return (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series;
    }
    let mut sum = 0.0;
    while x > 1.0 {
        x -= 1.0;
        sum += x.ln();
    }
    if x < 1.0 {
        sum += 0.5 * std::f64::consts::PI.ln();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_those_of_closed_forms() {
        // One of two dimensions is free: the share is the sine of an angle drawn evenly, P = 2 asin(x) / pi.
        for x in [0.01f64, 0.157, 0.4] {
            let exact = x.asin() / std::f64::consts::FRAC_PI_2;
            let bound = by_chance(x, 1.0, 2.0);
            assert!(
                bound >= exact && bound < 1.1 * exact,
                "{x}: {bound} against {exact}"
            );
        }
        // Two of four: the square is even on (0, 1).
        assert!((by_chance(0.3, 2.0, 4.0) - 0.09).abs() < 1e-12);
        // Nothing to spare proves nothing, a hundred equations much.
        assert_eq!(by_chance(0.1, 3.0, 3.0), 1.0);
        assert!(by_chance(0.3, 20.0, 120.0) < 1e-12);
        let step = ln_gamma(50.5) - ln_gamma(49.5);
        assert!((step - 49.5f64.ln()).abs() < 1e-11);
    }
}
