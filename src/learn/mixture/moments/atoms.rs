//! Weights and means of spherical components from the first three moments, by an orthogonal tensor.

use super::joint_diagonal::joint_diagonal;
use crate::Error;
use crate::linalg;
use faer::Mat;

const OP: &str = "spherical_atoms";

/// Central moments of a law in coordinates where its covariance is diagonal.
///
/// See [`spherical_atoms`] for an example.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalMoments {
    /// Variances of the coordinates, `r` of them.
    pub variances: Vec<f64>,
    /// `E u_a u_b u_c`, all `r^3` entries; `E u = 0`.
    pub third: Vec<f64>,
    /// `E[(variance of the noise given u) * u_a]`, zero when all components have one variance.
    pub noise_drift: Vec<f64>,
}

/// What [`spherical_atoms`] found, in the coordinates of the moments.
#[derive(Clone, Debug, PartialEq)]
pub struct MomentAtoms {
    /// Weights, positive, of sum 1, decreasing.
    pub weights: Vec<f64>,
    /// Means, one after the other.
    pub means: Vec<f64>,
    /// Variance of each component, from the drift; all equal without drift.
    pub variances: Vec<f64>,
    /// Root mean square of what the rotation left off the diagonals of the whitened slices; 0 for exact moments.
    pub rest: f64,
    /// Largest `variance / (variance - noise)`: errors of moments grow by its power 3/2 in whitening.
    pub amplification: f64,
}

/// Splits the law `sum_i w_i N(x_i, s_i I)` of `r + 1` components whose means are affinely independent.
///
/// Put a coordinate 1 before `u`. With `s = sum w_i s_i` taken off the variances and the drift off the third
/// moments, `M_2 = sum w_i (1, x_i)(1, x_i)'` is diagonal, whitening makes `sqrt(w_i) (1, x_i)` an orthonormal
/// basis, and the slices `sum_i w_i x_ic (1, x_i)(1, x_i)'` of the third moments are diagonal in it: one joint
/// rotation gives weights and means, and `v_i . (s, drift) = sqrt(w_i) s_i` gives the variances. Means that are
/// affinely dependent, coincident ones among them, have no such basis, which shows as a variance no larger than
/// the noise.
///
/// # Errors
/// `Shape`; `InvalidInput` for a noise that is not positive; `Degenerate` when a variance does not exceed the
/// noise ("affinely independent means") or a weight vanishes; `Backend`.
///
/// # Complexity
/// `O(r^4)` for each sweep of rotations, about ten sweeps.
///
/// # Example
/// ```
/// use wickring::learn::mixture::{PrincipalMoments, spherical_atoms};
/// // Weights 1/4 and 3/4 at 3 and -1, noise 1: variance 3 + 1, third moment (27 - 3)/4.
/// let moments = PrincipalMoments { variances: vec![4.0], third: vec![6.0], noise_drift: vec![0.0] };
/// let atoms = spherical_atoms(&moments, 1.0)?;
/// assert!((atoms.weights[1] - 0.25).abs() < 1e-14 && (atoms.means[1] - 3.0).abs() < 1e-13);
/// # Ok::<(), wickring::Error>(())
/// ```
///
/// # Source
/// Hsu and Kakade 2013, theorem 1 and its remark on differing variances. We depart in the leading coordinate,
/// which asks for affinely instead of linearly independent means, and in the joint rotation of all slices
/// instead of one random contraction.
pub fn spherical_atoms(moments: &PrincipalMoments, noise: f64) -> Result<MomentAtoms, Error> {
    let r = moments.variances.len();
    let whitener = whitener(moments, noise)?;
    let k = r + 1;
    let scale = |a: usize| if a == 0 { 1.0 } else { whitener[a - 1] };
    let drift = |a: usize| moments.noise_drift[a];
    let same = |a: usize, b: usize| f64::from(u8::from(a == b));
    let slices: Vec<Mat<f64>> = (0..r)
        .map(|c| {
            let entry = |a: usize, b: usize| match (a, b) {
                (0, 0) => 0.0,
                (0, b) | (b, 0) => same(b - 1, c) * (moments.variances[c] - noise),
                (a, b) => {
                    let (a, b) = (a - 1, b - 1);
                    moments.third[(a * r + b) * r + c]
                        - same(a, b) * drift(c)
                        - same(b, c) * drift(a)
                        - same(a, c) * drift(b)
                }
            };
            Mat::from_fn(k, k, |a, b| entry(a, b) * scale(a) * scale(b) * whitener[c])
        })
        .collect();
    let found = joint_diagonal(&slices, generic_start(&slices, k)?);
    let v = &found.vectors;
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&i, &j| (v[(0, j)] * v[(0, j)]).total_cmp(&(v[(0, i)] * v[(0, i)])));
    let (mut weights, mut means, mut variances) = (Vec::new(), Vec::new(), Vec::new());
    for i in order {
        let first = v[(0, i)];
        // Relative to the unit vector: below this the mean is division by rounding.
        if !(first.abs() > 1e-8) {
            return Err(Error::degenerate(
                OP,
                "positive weights (square root of the least)",
                first,
            ));
        }
        weights.push(first * first);
        means.extend((0..r).map(|a| v[(a + 1, i)] / first / whitener[a]));
        let drifted: f64 = (0..r).map(|a| v[(a + 1, i)] * drift(a) * whitener[a]).sum();
        variances.push(noise + drifted / first);
    }
    let entries = (r * k * r).max(1) as f64;
    let ratio = |v: &f64| v / (v - noise);
    Ok(MomentAtoms {
        weights,
        means,
        variances,
        rest: (found.rest / entries).sqrt(),
        amplification: moments.variances.iter().map(ratio).fold(1.0, f64::max),
    })
}

/// `1 / sqrt(variance - noise)` of each coordinate.
fn whitener(moments: &PrincipalMoments, noise: f64) -> Result<Vec<f64>, Error> {
    let r = moments.variances.len();
    if moments.third.len() != r * r * r || moments.noise_drift.len() != r {
        let expected = format!("{r}^3 third moments and {r} drifts");
        let found = format!("{} and {}", moments.third.len(), moments.noise_drift.len());
        return Err(Error::shape(OP, expected, found));
    }
    if !(noise > 0.0 && noise.is_finite()) {
        return Err(Error::invalid(
            OP,
            format!("a positive noise variance, got {noise}"),
        ));
    }
    let all = moments.variances.iter().chain(&moments.third);
    if let Some(index) = all.chain(&moments.noise_drift).position(|x| !x.is_finite()) {
        return Err(Error::NonFinite { op: OP, index });
    }
    let least = moments
        .variances
        .iter()
        .fold(f64::INFINITY, |m, v| m.min(*v));
    if r > 0 && !(least > noise * (1.0 + 1e-12)) {
        let hypothesis =
            "affinely independent means (least variance of the signal over that of the noise)";
        return Err(Error::degenerate(OP, hypothesis, least / noise - 1.0));
    }
    Ok(moments
        .variances
        .iter()
        .map(|v| 1.0 / (v - noise).sqrt())
        .collect())
}

/// Eigenvectors of one generic combination: the rotation starts near its end and away from saddle points.
fn generic_start(slices: &[Mat<f64>], k: usize) -> Result<Mat<f64>, Error> {
    // Multiples of the golden ratio modulo 1 are never equal.
    let weight = |c: usize| 0.5 + ((c + 1) as f64 * 0.618_033_988_749_894_9).fract();
    let mut sum = Mat::<f64>::zeros(k, k);
    for (c, s) in slices.iter().enumerate() {
        for i in 0..k {
            for j in 0..k {
                sum[(i, j)] += weight(c) * 0.5 * (s[(i, j)] + s[(j, i)]);
            }
        }
    }
    Ok(linalg::symmetric_eigen(OP, sum.as_ref())?.vectors)
}
