//! Is anything left in the residual that depends on the inputs? A test in every degree, without its features.

use faer::MatRef;

/// Samples that the test looks at: it costs the square of their number.
const MOST: usize = 2048;

/// For each degree `1..=top` the statistic `sum_{a<b} e_a e_b k_k(x_a, x_b)` in standard deviations of what
/// independent noise would give, `k_k(x, x') = <H_k(x), H_k(x')> / k!`.
///
/// The kernels come from the Mehler series `sum_k t^k k_k = (1-t^2)^(-d/2) exp((t <x,x'> - t^2 (|x|^2+|x'|^2)/2) / (1-t^2))`.
/// For Gaussian inputs the statistic estimates the energy of the residual in that degree.
///
/// # Shapes
/// `x` is `n x d` of unit scale, `e` has `n` entries; the result has `top`.
///
/// # Complexity
/// `O(N^2 (d + top^2))` for the first `N <= 2048` samples.
pub(super) fn deviations(x: MatRef<'_, f64>, e: &[f64], top: usize) -> Vec<f64> {
    let n = e.len().min(MOST);
    let (x, d) = (x.subrows(0, n), x.ncols() as f64);
    let gram = x * x.transpose();
    let mean = e[..n].iter().sum::<f64>() / n.max(1) as f64;
    let e: Vec<f64> = e[..n].iter().map(|v| v - mean).collect();
    let mut sums = vec![0.0; top];
    let mut squares = vec![0.0; top];
    let mut logs = vec![0.0; top + 1];
    let mut series = vec![0.0; top + 1];
    for b in 0..n {
        for a in 0..b {
            let lengths = (gram[(a, a)] + gram[(b, b)]) / 2.0;
            // log = (d/2)(t^2 + t^4/2 + ..) + (<x,x'> t - lengths t^2)(1 + t^2 + ..)
            for (k, l) in logs.iter_mut().enumerate().skip(1) {
                *l = if k % 2 == 1 {
                    gram[(a, b)]
                } else {
                    d / k as f64 - lengths
                };
            }
            series[0] = 1.0;
            for k in 1..=top {
                let sum: f64 = (1..=k).map(|j| j as f64 * logs[j] * series[k - j]).sum();
                series[k] = sum / k as f64;
                let term = e[a] * e[b] * series[k];
                sums[k - 1] += term;
                squares[k - 1] += term * term;
            }
        }
    }
    let pairs = sums.iter().zip(&squares);
    pairs
        .map(|(s, q)| if *q > 0.0 { s / q.sqrt() } else { 0.0 })
        .collect()
}
