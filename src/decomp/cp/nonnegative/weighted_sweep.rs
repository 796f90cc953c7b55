//! What a nonnegative fit is measured on: all entries, or some of them with weights.

use crate::Error;
use crate::decomp::cp::als::{balance, grams_of};
use crate::decomp::cp::normal_equations::hadamard_grams;
use crate::linalg::small;
use crate::tensor::mttkrp;
use crate::tensor::{Factor, TensorView, residual_into};

/// Passes over the columns of a factor for each product with the data, where all entries count alike.
const PASSES: usize = 4;

/// A tensor, and weights where not all of its entries count alike.
#[derive(Clone, Copy)]
pub(in crate::decomp::cp) struct Measured<'a> {
    pub(in crate::decomp::cp) t: TensorView<'a>,
    pub(in crate::decomp::cp) weights: Option<TensorView<'a>>,
}

impl Measured<'_> {
    /// `sqrt(sum_i w_i t_i^2)`.
    pub(in crate::decomp::cp) fn norm(&self) -> f64 {
        self.size(self.t.as_slice())
    }

    /// `sqrt(sum_i w_i g_i^2)`.
    fn size(&self, gap: &[f64]) -> f64 {
        match self.weights {
            None => small::norm_sq(gap).sqrt(),
            Some(w) => {
                let terms = gap.iter().zip(w.as_slice()).map(|(g, w)| w * g * g);
                terms.sum::<f64>().sqrt()
            }
        }
    }

    /// The residual of the model, entry by entry, and its size.
    pub(in crate::decomp::cp) fn gap(
        &self,
        x: &[Factor],
        gap: &mut Vec<f64>,
    ) -> Result<f64, Error> {
        residual_into(self.t, x, gap)?;
        Ok(self.size(gap))
    }

    /// The residual with its weights, of which the gradient is made.
    pub(in crate::decomp::cp) fn weigh(&self, gap: &mut [f64]) {
        if let Some(w) = self.weights {
            gap.iter_mut().zip(w.as_slice()).for_each(|(g, w)| *g *= w);
        }
    }

    /// One sweep: every column in turn is the nonnegative least-squares solution given all the others.
    pub(in crate::decomp::cp) fn sweep(&self, x: &mut [Factor]) -> Result<(), Error> {
        match self.weights {
            None => sweep_all(self.t, x),
            Some(w) => self.sweep_weighted(w, x),
        }
    }

    /// For row `i` of column `r` in mode `m`, with `k` the product of the other modes' entries: the step is
    /// `sum w g k / sum w k^2` over the entries of the slice, `g` being the residual, which is kept up to date.
    fn sweep_weighted(&self, w: TensorView<'_>, x: &mut [Factor]) -> Result<(), Error> {
        let dims = self.t.dims();
        let rank = x.first().map_or(0, Factor::cols);
        let (mut gap, mut weighted) = (Vec::new(), Vec::new());
        residual_into(self.t, x, &mut gap)?;
        for m in 0..x.len() {
            for r in 0..rank {
                let one = |f: &Factor, power: i32| {
                    Factor::from_fn(f.rows(), 1, |i, _| f.column(r)[i].powi(power))
                };
                let mut column: Vec<Factor> = x.iter().map(|f| one(f, 1)).collect();
                let squares: Vec<Factor> = x.iter().map(|f| one(f, 2)).collect();
                weighted.clear();
                weighted.extend(gap.iter().zip(w.as_slice()).map(|(g, w)| g * w));
                let up = mttkrp(TensorView::new(dims, &weighted)?, &column, m)?;
                let down = mttkrp(w, &squares, m)?;
                let mut moved = false;
                for i in 0..dims[m] {
                    let (g, d) = (up.column(0)[i], down.column(0)[i]);
                    let old = x[m].column(r)[i];
                    let step = if d > 0.0 { (g / d).max(-old) } else { 0.0 };
                    column[m].column_mut(0)[i] = step;
                    x[m].column_mut(r)[i] = (old + step).max(0.0);
                    moved |= step != 0.0;
                }
                if moved {
                    residual_into(TensorView::new(dims, &gap)?, &column, &mut weighted)?;
                    std::mem::swap(&mut gap, &mut weighted);
                }
            }
        }
        let mut grams = grams_of(x);
        balance(x, &mut grams);
        Ok(())
    }
}

/// A sweep over all modes; each column is updated four times, which is cheap beside the data products.
fn sweep_all(t: TensorView<'_>, x: &mut [Factor]) -> Result<(), Error> {
    let rank = x.first().map_or(0, Factor::cols);
    let mut grams = grams_of(x);
    for m in 0..x.len() {
        let target = mttkrp(t, x, m)?;
        let gamma = hadamard_grams(&grams, rank, &[m]);
        for _ in 0..PASSES {
            for r in 0..rank {
                let d = gamma.column(r)[r];
                if !(d > 0.0) {
                    x[m].column_mut(r).fill(0.0);
                    continue;
                }
                let mut step = target.column(r).to_vec();
                for s in 0..rank {
                    small::axpy(&mut step, -gamma.column(r)[s], x[m].column(s));
                }
                let column = x[m].column_mut(r).iter_mut();
                column
                    .zip(&step)
                    .for_each(|(v, &g)| *v = (*v + g / d).max(0.0));
            }
        }
        grams[m] = x[m].gram();
    }
    balance(x, &mut grams);
    Ok(())
}
