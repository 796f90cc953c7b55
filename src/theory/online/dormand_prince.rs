//! The method of Dormand and Prince of order 5(4): its weights, error estimate, first step and dense output.
//!
//! Source: Dormand and Prince 1980; dense output and first step as in Hairer, Norsett and Wanner, II.4-II.6.

/// Weights of the stages after the first; the last row is the fifth-order solution.
pub(super) const TABLEAU: [[f64; 6]; 6] = [
    [1.0 / 5.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3.0 / 40.0, 9.0 / 40.0, 0.0, 0.0, 0.0, 0.0],
    [44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0, 0.0, 0.0, 0.0],
    [
        19372.0 / 6561.0,
        -25360.0 / 2187.0,
        64448.0 / 6561.0,
        -212.0 / 729.0,
        0.0,
        0.0,
    ],
    [
        9017.0 / 3168.0,
        -355.0 / 33.0,
        46732.0 / 5247.0,
        49.0 / 176.0,
        -5103.0 / 18656.0,
        0.0,
    ],
    [
        35.0 / 384.0,
        0.0,
        500.0 / 1113.0,
        125.0 / 192.0,
        -2187.0 / 6784.0,
        11.0 / 84.0,
    ],
];
/// Fifth-order weights minus fourth-order weights.
const DEFECT: [f64; 7] = [
    71.0 / 57600.0,
    0.0,
    -71.0 / 16695.0,
    71.0 / 1920.0,
    -17253.0 / 339200.0,
    22.0 / 525.0,
    -1.0 / 40.0,
];
/// Weights of the fourth-order dense output.
const DENSE: [f64; 7] = [
    -12715105075.0 / 11282082432.0,
    0.0,
    87487479700.0 / 32700410799.0,
    -10690763975.0 / 1880347072.0,
    701980252875.0 / 199316789632.0,
    -1453857185.0 / 822651844.0,
    69997945.0 / 29380423.0,
];

/// `out = y + h * sum_s weights_s k_s`.
pub(super) fn combine(out: &mut [f64], y: &[f64], h: f64, weights: &[f64], k: &[Vec<f64>]) {
    out.copy_from_slice(y);
    for (w, k) in weights.iter().zip(k).filter(|(w, _)| **w != 0.0) {
        let c = h * w;
        out.iter_mut().zip(k).for_each(|(o, k)| *o += c * k);
    }
}

/// The greatest error of a block relative to its norm; NaN when anything is not finite.
pub(super) fn error_norm(
    y: &[f64],
    next: &[f64],
    k: &[Vec<f64>],
    h: f64,
    blocks: &[usize],
    tol: f64,
) -> f64 {
    let (mut worst, mut from) = (0.0f64, 0);
    for &to in blocks {
        let (mut gap, mut old, mut new) = (0.0, 0.0, 0.0);
        for i in from..to {
            let e: f64 = DEFECT.iter().zip(k).map(|(d, k)| d * k[i]).sum();
            gap += e * e;
            old += y[i] * y[i];
            new += next[i] * next[i];
        }
        // 1e-6: a block that decays to zero is followed to that share of unity, not for ever.
        let error = h * gap.sqrt() / (tol * (1e-6 + old.max(new).sqrt()));
        if !error.is_finite() {
            return f64::NAN;
        }
        worst = worst.max(error);
        from = to;
    }
    worst
}

/// The step whose Euler increment moves no block by more than a small share of its norm.
pub(super) fn first_step(y: &[f64], rate: &[f64], blocks: &[usize], tol: f64) -> f64 {
    let (mut h, mut from) = (1.0f64, 0);
    for &to in blocks {
        let norm = |v: &[f64]| v[from..to].iter().map(|x| x * x).sum::<f64>().sqrt();
        let (size, speed) = (norm(y) + 1e-6, norm(rate));
        if speed > 0.0 {
            h = h.min(tol.powf(0.2) * size / speed);
        }
        from = to;
    }
    h.max(1e-12)
}

/// The state at `t + share * h` inside an accepted step.
pub(super) fn interpolate(
    out: &mut [f64],
    y: &[f64],
    next: &[f64],
    k: &[Vec<f64>],
    h: f64,
    share: f64,
) {
    let rest = 1.0 - share;
    for i in 0..y.len() {
        let rise = next[i] - y[i];
        let bend = h * k[0][i] - rise;
        let twist = rise - h * k[6][i] - bend;
        let last: f64 = h * DENSE.iter().zip(k).map(|(d, k)| d * k[i]).sum::<f64>();
        out[i] = y[i] + share * (rise + rest * (bend + share * (twist + rest * last)));
    }
}
