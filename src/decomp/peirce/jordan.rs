//! The Jordan algebra that frames are frames of, in its standard basis.

use faer::Mat;

/// The standard orthonormal basis of `Sym_r`, or of `Sym_r + R^r` (symmetric matrices of size `r + 1` with zero
/// corner), under `<A, B> = Tr AB`.
///
/// Order: `E_ii` for `i < r`; then `(E_ij + E_ji) / sqrt 2` for `i < j`, by `j` first; then, with a linear part,
/// `(E_ir + E_ri) / sqrt 2` for `i < r`.
///
/// # Example
/// ```
/// use wickring::decomp::JordanBasis;
/// let basis = JordanBasis::new(2, false); // E_00, E_11, (E_01 + E_10) / sqrt 2
/// let mut square = [0.0; 3];
/// basis.square(&[0.0, 0.0, 1.0], &mut Vec::new(), &mut square);
/// // The square of the third is half the identity.
/// assert!((square[0] - 0.5).abs() < 1e-15 && (square[1] - 0.5).abs() < 1e-15 && square[2] == 0.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JordanBasis {
    /// Size of the matrices.
    size: usize,
    /// The entry `(i, j)`, `i <= j`, of each basis element.
    places: Vec<(usize, usize)>,
}

impl JordanBasis {
    /// The basis for rank `r`, with or without a linear part.
    pub fn new(rank: usize, linear: bool) -> Self {
        let mut places: Vec<(usize, usize)> = (0..rank).map(|i| (i, i)).collect();
        places.extend((1..rank).flat_map(|j| (0..j).map(move |i| (i, j))));
        if linear {
            places.extend((0..rank).map(|i| (i, rank)));
        }
        let size = rank + usize::from(linear);
        Self { size, places }
    }

    /// The number of the element with the entries `(i, j)` and `(j, i)`, `i, j < r`.
    pub(in crate::decomp) fn index(rank: usize, i: usize, j: usize) -> usize {
        let (i, j) = (i.min(j), i.max(j));
        if i == j {
            i
        } else {
            rank + j * (j - 1) / 2 + i
        }
    }

    /// Number of elements.
    pub fn dim(&self) -> usize {
        self.places.len()
    }

    /// Coordinates of the projection of `X^2` for the `X` with coordinates `x`; `square` is scratch of any
    /// content. `O(size^3)`.
    ///
    /// # Panics
    /// If `x` or `out` is shorter than the basis.
    pub fn square(&self, x: &[f64], scratch: &mut Vec<f64>, out: &mut [f64]) {
        let s = self.size;
        scratch.clear();
        scratch.resize(s * s, 0.0);
        let half = 0.5f64.sqrt();
        for (k, &(i, j)) in self.places.iter().enumerate() {
            let v = if i == j { x[k] } else { half * x[k] };
            scratch[i * s + j] = v;
            scratch[j * s + i] = v;
        }
        for (k, &(i, j)) in self.places.iter().enumerate() {
            let (a, b) = (&scratch[i * s..(i + 1) * s], &scratch[j * s..(j + 1) * s]);
            let dot: f64 = a.iter().zip(b).map(|(p, q)| p * q).sum();
            out[k] = if i == j { dot } else { 2.0 * half * dot };
        }
    }

    /// The structure constants `J_ijk = <E_i . E_j, E_k>` as a matrix: row `j(j+1)/2 + i` for `i <= j`, doubled
    /// off the diagonal, column `k`.
    pub(in crate::decomp) fn pair_weights(&self) -> Mat<f64> {
        let n = self.dim();
        let mut weights = Mat::zeros(n * (n + 1) / 2, n);
        let (mut scratch, mut x) = (Vec::new(), vec![0.0; n]);
        let mut alone = vec![vec![0.0; n]; n];
        for (i, out) in alone.iter_mut().enumerate() {
            x[i] = 1.0;
            self.square(&x, &mut scratch, out);
            x[i] = 0.0;
        }
        let mut both = vec![0.0; n];
        for j in 0..n {
            for i in 0..=j {
                let row = j * (j + 1) / 2 + i;
                if i == j {
                    (0..n).for_each(|k| weights[(row, k)] = alone[j][k]);
                    continue;
                }
                // 2 E_i . E_j = (E_i + E_j)^2 - E_i^2 - E_j^2.
                (x[i], x[j]) = (1.0, 1.0);
                self.square(&x, &mut scratch, &mut both);
                (x[i], x[j]) = (0.0, 0.0);
                (0..n).for_each(|k| weights[(row, k)] = both[k] - alone[i][k] - alone[j][k]);
            }
        }
        weights
    }
}
