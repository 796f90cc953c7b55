//! The latents that noiseless samples of a quadratic map give away.

use super::polish::WhiteMap;
use super::white_stream::WhiteRows;
use crate::Error;
use crate::io::samples::Samples;
use crate::linalg::{solve, symmetric_eigen};
use faer::Mat;

const OP: &str = "Quadratic::learn";
/// Rows looked at.
const MOST: usize = 50_000;

/// Latents of rows left for learning, `r` entries each: the linear inverse of the map gives `x x'` (and `x` itself where
/// there is a linear part), whose top eigenvector is `x` up to sign.
pub(super) fn seen_latents(
    samples: &Samples,
    rows: &WhiteRows,
    map: &WhiteMap,
) -> Result<Vec<f64>, Error> {
    let (n, r) = (rows.down.ncols(), map.rank);
    let places = WhiteMap::places(r);
    let features = map.coefficients.ncols() - 1;
    if features != n {
        return Ok(Vec::new());
    }
    let c = map.coefficients.subcols(0, features);
    let inverse = solve(OP, c, Mat::<f64>::identity(n, n).as_ref())?;
    let (mut out, mut y) = (Vec::new(), Vec::new());
    let half = 0.5f64.sqrt();
    for chunk in samples.chunks(4096) {
        y.clear();
        rows.white(&chunk?, &mut y);
        for row in y.chunks_exact(n) {
            if out.len() >= MOST * r {
                return Ok(out);
            }
            let shifted: Vec<f64> = (0..n)
                .map(|k| row[k] - map.coefficients[(k, features)])
                .collect();
            let phi = |k: usize| -> f64 { (0..n).map(|l| inverse[(k, l)] * shifted[l]).sum() };
            if map.linear {
                out.extend((0..r).map(|j| phi(places.len() + j) * half));
                continue;
            }
            let mut square = Mat::<f64>::zeros(r, r);
            for (k, &(a, b)) in places.iter().enumerate() {
                let v = if a == b { phi(k) } else { half * phi(k) };
                square[(a, b)] = v;
                square[(b, a)] = v;
            }
            let e = symmetric_eigen(OP, square.as_ref())?;
            let length = e.values[r - 1].max(0.0).sqrt();
            out.extend((0..r).map(|j| e.vectors[(j, r - 1)] * length));
        }
    }
    Ok(out)
}
