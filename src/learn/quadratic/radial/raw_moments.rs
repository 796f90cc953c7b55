//! Raw moments of quadratic maps of rotation-invariant inputs, and what they say about law and ring.

use crate::Error;
use crate::decomp::Whitening;
use crate::stats::MomentSummary;
use crate::tensor::Tensor;
use faer::Mat;

const OP: &str = "RadialQuadratic::learn";

/// `E y`, `E yy'`, `E yyy` in coordinates where the second is near the identity.
pub(in crate::learn) struct RawMoments {
    first: Mat<f64>,
    second: Mat<f64>,
    /// `E y_a y_b y_c` at `a + n (b + n c)`.
    third: Vec<f64>,
}

impl RawMoments {
    /// From central moments about a point that is `shift` from the origin.
    pub(in crate::learn) fn of(
        summary: &MomentSummary,
        shift: &Mat<f64>,
        n: usize,
    ) -> Result<Self, Error> {
        let count = summary.count() as f64;
        let (mean, cov) = (summary.mean(), summary.covariance());
        let third = summary.third_cumulants();
        let third = third.ok_or_else(|| Error::invalid(OP, "third moments"))?;
        let first = Mat::from_fn(n, 1, |i, _| shift[(i, 0)] + mean[i]);
        let central = |a: usize, b: usize| cov[(a, b)] * (count - 1.0) / count;
        let t = |i: usize| first[(i, 0)];
        let second = Mat::from_fn(n, n, |a, b| central(a, b) + t(a) * t(b));
        let mut raw = third.as_slice().to_vec();
        for c in 0..n {
            for b in 0..n {
                for a in 0..n {
                    raw[a + n * (b + n * c)] += central(a, b) * t(c)
                        + central(a, c) * t(b)
                        + central(b, c) * t(a)
                        + t(a) * t(b) * t(c);
                }
            }
        }
        Ok(Self {
            first,
            second,
            third: raw,
        })
    }

    /// `S = (M / m_4 - t t') / 2`.
    fn gram(&self, four: f64) -> Mat<f64> {
        let n = self.first.nrows();
        let t = |i: usize| self.first[(i, 0)];
        Mat::from_fn(n, n, |a, b| {
            let m = 0.5 * (self.second[(a, b)] + self.second[(b, a)]);
            0.5 * (m / four - t(a) * t(b))
        })
    }

    /// The closed forms of `m_4` and `m_6`.
    pub(in crate::learn) fn law(&self, r: usize) -> Result<(f64, f64), Error> {
        let (n, r) = (self.first.nrows(), r as f64);
        let solved = crate::linalg::solve(OP, self.second.as_ref(), self.first.as_ref())?;
        let q: f64 = (0..n).map(|i| solved[(i, 0)] * self.first[(i, 0)]).sum();
        if !(q > 0.0) {
            let hypothesis =
                "outputs whose mean is not zero (t'M^+t), without which the law cannot be found";
            return Err(Error::degenerate(OP, hypothesis, q));
        }
        let four = r / ((r + 2.0) * q);
        let s = self.gram(four);
        let inverse = crate::linalg::solve(OP, s.as_ref(), Mat::<f64>::identity(n, n).as_ref())?;
        let (mut along, mut size) = (0.0, 0.0);
        for c in 0..n {
            let mut v = 0.0;
            for b in 0..n {
                v += (0..n)
                    .map(|a| self.third[a + n * (b + n * c)] * inverse[(a, b)])
                    .sum::<f64>();
            }
            along += v * self.first[(c, 0)];
            size += self.first[(c, 0)].powi(2);
        }
        let six = along / (size * (r + 2.0) * (r + 4.0));
        if four > 0.0 && six > 0.0 && (four + six).is_finite() {
            return Ok((four, six));
        }
        let hypothesis = "moments of a rotation-invariant input (m_6 from the third moments)";
        Err(Error::degenerate(OP, hypothesis, six))
    }

    /// The structure constants, and `S^(1/2)`-coordinates: `Q` in these are `up`.
    pub(in crate::learn) fn ring(
        &self,
        (four, six): (f64, f64),
    ) -> Result<(Tensor, Mat<f64>), Error> {
        let n = self.first.nrows();
        let s = self.gram(four);
        let t = |i: usize| self.first[(i, 0)];
        let tensor = Tensor::from_fn(&[n, n, n], |i| {
            let (a, b, c) = (i[0], i[1], i[2]);
            let mixed = s[(a, b)] * t(c) + s[(a, c)] * t(b) + s[(b, c)] * t(a);
            (self.third[a + n * (b + n * c)] / six - t(a) * t(b) * t(c) - 2.0 * mixed) / 8.0
        })?;
        let white = Whitening::of(OP, s.as_ref(), n)?;
        let turned = crate::decomp::in_basis(tensor.view(), white.down.as_ref())?;
        Ok((turned, white.up))
    }
}
