//! Products of Hermite polynomials on blocks of points, each from one that is already there.

use super::hermite_basis::HermiteBasis;
use faer::traits::pulp::Arch;

/// Every product `h_k(z) = prod_j h_{k_j}(z_j)` of total degree `0..=degree`, the constant first, then in the order
/// of [`HermiteBasis`].
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct Products {
    dim: usize,
    degree: usize,
    /// Exponents, `dim` for each product.
    pub(in crate::learn::mixture) exponents: Vec<u8>,
    /// For each product but the constant: one without its last coordinate, that coordinate and its exponent.
    parents: Vec<(u32, u32, u32)>,
}

impl Products {
    pub(in crate::learn::mixture) fn new(dim: usize, degree: usize) -> Self {
        let mut products = Self {
            dim,
            degree,
            exponents: vec![0; dim],
            parents: Vec::new(),
        };
        products
            .exponents
            .extend(HermiteBasis::new(dim, degree).exponents());
        for e in products.exponents.chunks_exact(dim).skip(1) {
            let last = e.iter().rposition(|&k| k > 0).unwrap_or(0);
            let mut parent = e.to_vec();
            parent[last] = 0;
            let at = products.index(&parent).unwrap_or(0) as u32;
            products.parents.push((at, last as u32, u32::from(e[last])));
        }
        products
    }

    /// Number of products, the constant included.
    pub(in crate::learn::mixture) fn len(&self) -> usize {
        self.exponents.len() / self.dim
    }

    /// The place of a product: within one degree, exponents decrease in lexicographic order.
    pub(in crate::learn::mixture) fn index(&self, exponents: &[u8]) -> Option<usize> {
        let total = |e: &[u8]| e.iter().map(|&k| u32::from(k)).sum::<u32>();
        let of = |i: usize| &self.exponents[i * self.dim..(i + 1) * self.dim];
        let wanted = (total(exponents), std::cmp::Reverse(exponents));
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if (total(of(middle)), std::cmp::Reverse(of(middle))) < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low < self.len() && of(low) == exponents).then_some(low)
    }

    /// Points that are best handled together: their products stay in the cache.
    pub(in crate::learn::mixture) fn block(&self) -> usize {
        (32_768 / self.len()).clamp(2, 16) * 16
    }

    /// All products of `count` points, `values[k * count + i]`; `z` is coordinate-major, `tables` a buffer.
    pub(in crate::learn::mixture) fn evaluate(
        &self,
        z: &[f64],
        count: usize,
        tables: &mut Vec<f64>,
        values: &mut Vec<f64>,
    ) {
        values.resize(self.len() * count, 1.0);
        if count == 0 {
            return;
        }
        let stride = self.dim * count;
        tables.resize(self.degree * stride, 0.0);
        Arch::new().dispatch(
            #[inline(always)]
            || {
                hermite_tables(&z[..stride], self.degree, tables);
                values[..count].fill(1.0);
                for (k, &(parent, coordinate, power)) in self.parents.iter().enumerate() {
                    let (done, rest) = values.split_at_mut((k + 1) * count);
                    let parent = &done[parent as usize * count..][..count];
                    let at = (power as usize - 1) * stride + coordinate as usize * count;
                    let factor = &tables[at..][..count];
                    for ((v, p), f) in rest[..count].iter_mut().zip(parent).zip(factor) {
                        *v = p * f;
                    }
                }
            },
        );
    }
}

/// `h_1, .., h_degree` of every entry of `z`, one degree after the other.
#[inline(always)]
fn hermite_tables(z: &[f64], degree: usize, tables: &mut [f64]) {
    let stride = z.len();
    if degree == 0 {
        return;
    }
    tables[..stride].copy_from_slice(z);
    for k in 1..degree {
        let (low, high) = tables.split_at_mut(k * stride);
        let last = &low[(k - 1) * stride..];
        let (a, b) = ((k as f64).sqrt(), 1.0 / ((k + 1) as f64).sqrt());
        let next = &mut high[..stride];
        if k == 1 {
            for ((n, z), h) in next.iter_mut().zip(z).zip(last) {
                *n = (z * h - a) * b;
            }
        } else {
            let before = &low[(k - 2) * stride..(k - 1) * stride];
            for (((n, z), h), g) in next.iter_mut().zip(z).zip(last).zip(before) {
                *n = (z * h - a * g) * b;
            }
        }
    }
}

/// The gradients of the features `h_e` of degree `1..=degree`: `d_a h_e = sqrt(e_a) h_{e - 1_a}`.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct Gradients {
    /// Products of degree at most `degree - 1`.
    pub(in crate::learn::mixture) low: Products,
    /// For each feature where its entries end: coordinate, low product and factor.
    ends: Vec<usize>,
    entries: Vec<(u32, u32, f64)>,
}

impl Gradients {
    pub(in crate::learn::mixture) fn new(dim: usize, degree: usize) -> Self {
        let low = Products::new(dim, degree.saturating_sub(1));
        let (mut ends, mut entries) = (Vec::new(), Vec::new());
        for e in HermiteBasis::new(dim, degree).exponents().chunks_exact(dim) {
            let mut exponents = e.to_vec();
            for (a, &power) in e.iter().enumerate().filter(|(_, power)| **power > 0) {
                exponents[a] = power - 1;
                let at = low.index(&exponents).unwrap_or(0) as u32;
                entries.push((a as u32, at, f64::from(power).sqrt()));
                exponents[a] = power;
            }
            ends.push(entries.len());
        }
        Self { low, ends, entries }
    }

    /// Number of features.
    pub(in crate::learn::mixture) fn features(&self) -> usize {
        self.ends.len()
    }

    /// Coordinate, low product and factor of each derivative of a feature that does not vanish.
    pub(in crate::learn::mixture) fn of(&self, feature: usize) -> &[(u32, u32, f64)] {
        let start = feature.checked_sub(1).map_or(0, |f| self.ends[f]);
        &self.entries[start..self.ends[feature]]
    }

    /// Coefficients of the low products in each derivative of `sum_e weights_e h_e`, one coordinate after the
    /// other; derivatives are scaled by `scale`.
    pub(in crate::learn::mixture) fn coefficients(
        &self,
        weights: &[f64],
        scale: &[f64],
    ) -> Vec<f64> {
        let mut out = vec![0.0; scale.len() * self.low.len()];
        for (e, w) in weights.iter().enumerate().take(self.features()) {
            for &(a, k, x) in self.of(e) {
                out[a as usize * self.low.len() + k as usize] += w * x * scale[a as usize];
            }
        }
        out
    }
}
