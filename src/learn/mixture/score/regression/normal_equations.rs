//! Least squares by accumulated Grams, for nested families of features at once.

use crate::linalg::dot;

/// Damping of each diagonal entry, relative to itself: conditioning without visible bias.
const RIDGE: f64 = 1e-6;

/// `A'A`, `A'b`, `b'b` and the number of points of a least-squares problem `min |A w - b|`.
#[derive(Clone, Debug)]
pub(in crate::learn::mixture) struct NormalEquations {
    size: usize,
    gram: Vec<f64>,
    rhs: Vec<f64>,
    square: f64,
    pub(in crate::learn::mixture) points: usize,
}

impl NormalEquations {
    pub(in crate::learn::mixture) fn new(size: usize) -> Self {
        Self {
            size,
            gram: vec![0.0; size * size],
            rhs: vec![0.0; size],
            square: 0.0,
            points: 0,
        }
    }

    /// From `A'A`, `A'b`, `b'b` as sums over so many points.
    pub(in crate::learn::mixture) fn from_sums(
        gram: Vec<f64>,
        rhs: Vec<f64>,
        square: f64,
        points: usize,
    ) -> Self {
        Self {
            size: rhs.len(),
            gram,
            rhs,
            square,
            points,
        }
    }

    #[cfg(test)]
    pub(in crate::learn::mixture) fn gram(&self) -> &[f64] {
        &self.gram
    }

    #[cfg(test)]
    pub(in crate::learn::mixture) fn rhs(&self) -> &[f64] {
        &self.rhs
    }

    pub(in crate::learn::mixture) fn merge(&mut self, other: &Self) {
        self.gram
            .iter_mut()
            .zip(&other.gram)
            .for_each(|(a, b)| *a += b);
        self.rhs
            .iter_mut()
            .zip(&other.rhs)
            .for_each(|(a, b)| *a += b);
        self.square += other.square;
        self.points += other.points;
    }

    fn without(&self, part: &Self) -> Self {
        let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x - y).collect();
        Self {
            size: self.size,
            gram: minus(&self.gram, &part.gram),
            rhs: minus(&self.rhs, &part.rhs),
            square: self.square - part.square,
            points: self.points - part.points,
        }
    }

    /// Residual sum of squares of the coefficients `w` (of the leading features).
    fn loss(&self, w: &[f64]) -> f64 {
        let p = w.len();
        let mut quadratic = 0.0;
        for (j, x) in w.iter().enumerate() {
            quadratic += x * dot(&self.gram[j * self.size..j * self.size + p], w);
        }
        self.square - 2.0 * dot(&self.rhs[..p], w) + quadratic
    }

    /// Cholesky factor (row by row, lower) of the damped Gram and `L^-1 rhs`; shorter than asked when the
    /// leading minors stop being definite.
    fn factor(&self, size: usize) -> Factored {
        let mut lower: Vec<f64> = Vec::with_capacity(size * size);
        let mut solved: Vec<f64> = Vec::with_capacity(size);
        for i in 0..size {
            lower.resize((i + 1) * size, 0.0);
            let (done, current) = lower.split_at_mut(i * size);
            for j in 0..i {
                let row = &done[j * size..j * size + j];
                let rest = self.gram[j * self.size + i] - dot(row, &current[..j]);
                current[j] = rest / done[j * size + j];
            }
            let diagonal = self.gram[i * self.size + i];
            let rest = diagonal * (1.0 + RIDGE) - dot(&current[..i], &current[..i]);
            // What is left of the diagonal is at least the damping, but for rounding.
            if rest.is_nan() || rest <= 0.1 * RIDGE * diagonal || diagonal == 0.0 {
                lower.truncate(i * size);
                break;
            }
            current[i] = rest.sqrt();
            solved.push((self.rhs[i] - dot(&current[..i], &solved)) / current[i]);
        }
        Factored {
            stride: size,
            lower,
            solved,
        }
    }

    /// Least-squares coefficients of the leading `size` features, fewer when the Gram is singular.
    pub(in crate::learn::mixture) fn solve(&self, size: usize) -> Vec<f64> {
        let factored = self.factor(size);
        factored.back(factored.solved.len())
    }
}

struct Factored {
    stride: usize,
    lower: Vec<f64>,
    solved: Vec<f64>,
}

impl Factored {
    /// Coefficients of the leading `p` features: the leading block of a Cholesky factor is the factor of the
    /// leading block, so one factorisation serves every degree.
    fn back(&self, p: usize) -> Vec<f64> {
        let mut w = self.solved[..p].to_vec();
        for i in (0..p).rev() {
            w[i] /= self.lower[i * self.stride + i];
            let x = w[i];
            let row = &self.lower[i * self.stride..i * self.stride + i];
            w[..i].iter_mut().zip(row).for_each(|(w, l)| *w -= x * l);
        }
        w
    }
}

/// Cross-validated loss for each of the nested `sizes`, summed over the folds; infinite where a fold has too
/// few points (`each` for each coefficient) or a singular Gram.
pub(in crate::learn::mixture) fn cross_validate(
    folds: &[NormalEquations],
    sizes: &[usize],
    each: usize,
) -> Vec<f64> {
    let mut losses = vec![0.0; sizes.len()];
    let Some(first) = folds.first() else {
        return losses;
    };
    let mut total = NormalEquations::new(first.size);
    folds.iter().for_each(|f| total.merge(f));
    for fold in folds {
        let train = total.without(fold);
        let usable = |p: usize| train.points >= each * p;
        let most = sizes
            .iter()
            .copied()
            .filter(|&p| usable(p))
            .max()
            .unwrap_or(0);
        let factored = train.factor(most);
        for (loss, &p) in losses.iter_mut().zip(sizes) {
            *loss += if usable(p) && p <= factored.solved.len() {
                fold.loss(&factored.back(p))
            } else {
                f64::INFINITY
            };
        }
    }
    losses
}
