//! Products of orthonormal Hermite polynomials and their derivatives on blocks of points.

/// Every product `h_e(z) = prod_j h_{e_j}(z_j)` of total degree `1..=degree` in `dim` variables, by degree;
/// `h_k = He_k / sqrt(k!)`. The constant is left out: only derivatives are used.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct HermiteBasis {
    dim: usize,
    degree: usize,
    /// Exponents, `dim` for each feature.
    exponents: Vec<u8>,
    /// `upto[d]` features have degree at most `d`.
    upto: Vec<usize>,
}

impl HermiteBasis {
    pub(in crate::learn::mixture) fn new(dim: usize, degree: usize) -> Self {
        let mut exponents = Vec::new();
        let mut upto = vec![0];
        let mut current = vec![0u8; dim];
        for d in 1..=degree {
            compositions(&mut current, 0, d, &mut exponents);
            upto.push(exponents.len() / dim.max(1));
        }
        Self {
            dim,
            degree,
            exponents,
            upto,
        }
    }

    /// Exponents of every product, `dim` for each.
    pub(in crate::learn::mixture) fn exponents(&self) -> &[u8] {
        &self.exponents
    }

    /// Number of features of degree at most `degree`.
    pub(in crate::learn::mixture) fn len_upto(&self, degree: usize) -> usize {
        self.upto[degree.min(self.degree)]
    }

    /// `C(dim + degree, degree) - 1` without building anything, or `None` beyond `limit`.
    pub(in crate::learn::mixture) fn size(
        dim: usize,
        degree: usize,
        limit: usize,
    ) -> Option<usize> {
        let mut c: usize = 1;
        for k in 1..=degree {
            c = c.checked_mul(dim + k)? / k;
            if c > limit {
                return None;
            }
        }
        Some(c - 1)
    }

    /// Tables `h_k(z_j)` of a block; `z` is coordinate-major with `count` points in each coordinate.
    pub(in crate::learn::mixture) fn tables(&self, z: &[f64], count: usize, tables: &mut Vec<f64>) {
        let stride = self.dim * count;
        tables.clear();
        tables.resize((self.degree + 1) * stride, 1.0);
        if self.degree == 0 {
            return;
        }
        tables[stride..2 * stride].copy_from_slice(&z[..stride]);
        for k in 1..self.degree {
            let (low, high) = tables.split_at_mut((k + 1) * stride);
            let (before, last) = low.split_at(k * stride);
            let before = &before[(k - 1) * stride..];
            let (a, b) = ((k as f64).sqrt(), 1.0 / ((k + 1) as f64).sqrt());
            for (((next, z), h), g) in high[..stride].iter_mut().zip(z).zip(last).zip(before) {
                *next = (z * h - a * g) * b;
            }
        }
    }

    /// Writes the derivative of feature `e` once by each entry of `by` into `out` (`count` points); returns
    /// false, writing nothing, when it vanishes identically.
    pub(in crate::learn::mixture) fn derivative(
        &self,
        e: usize,
        by: &[usize],
        tables: &[f64],
        out: &mut [f64],
    ) -> bool {
        let (dim, count) = (self.dim, out.len());
        let exponents = &self.exponents[e * dim..(e + 1) * dim];
        let mut factor = 1.0;
        let mut fresh = true;
        for (j, &exponent) in exponents.iter().enumerate() {
            let mut k = usize::from(exponent);
            for _ in by.iter().filter(|&&b| b == j) {
                if k == 0 {
                    return false;
                }
                factor *= (k as f64).sqrt();
                k -= 1;
            }
            if k == 0 {
                continue;
            }
            let h = &tables[(k * dim + j) * count..(k * dim + j + 1) * count];
            if fresh {
                out.copy_from_slice(h);
                fresh = false;
            } else {
                out.iter_mut().zip(h).for_each(|(o, h)| *o *= h);
            }
        }
        if fresh {
            out.fill(factor);
        } else if factor != 1.0 {
            out.iter_mut().for_each(|o| *o *= factor);
        }
        true
    }
}

/// All ways to spread `left` over the coordinates from `at`, appended to `out`.
fn compositions(current: &mut [u8], at: usize, left: usize, out: &mut Vec<u8>) {
    if at + 1 == current.len() {
        current[at] = left as u8;
        out.extend_from_slice(current);
        current[at] = 0;
        return;
    }
    for here in (0..=left).rev() {
        current[at] = here as u8;
        compositions(current, at + 1, left - here, out);
    }
    current[at] = 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Derivatives against central differences of products of explicit polynomials.
    #[test]
    fn derivatives_are_those_of_hermite_products() {
        let basis = HermiteBasis::new(2, 4);
        assert_eq!(basis.len_upto(4), 14);
        assert_eq!(HermiteBasis::size(2, 4, 100), Some(14));
        let h = |k: u8, x: f64| match k {
            0 => 1.0,
            1 => x,
            2 => (x * x - 1.0) / 2f64.sqrt(),
            3 => (x.powi(3) - 3.0 * x) / 6f64.sqrt(),
            _ => (x.powi(4) - 6.0 * x * x + 3.0) / 24f64.sqrt(),
        };
        let (x, y) = (0.7, -1.3);
        let mut tables = Vec::new();
        basis.tables(&[x, y], 1, &mut tables);
        let step = 1e-5;
        for e in 0..14 {
            let (a, b) = (basis.exponents[2 * e], basis.exponents[2 * e + 1]);
            let mut got = [0.0];
            if !basis.derivative(e, &[0], &tables, &mut got) {
                assert_eq!(a, 0);
                got = [0.0];
            }
            let want = (h(a, x + step) - h(a, x - step)) / (2.0 * step) * h(b, y);
            // Central difference: third derivatives up to 50 here, times step^2 / 6.
            assert!((got[0] - want).abs() <= 1e-8, "{a} {b}: {} {want}", got[0]);
        }
    }
}
