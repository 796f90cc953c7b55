//! The tangent space of rings at a point: `J^H J` times a direction, without the tensor.
//!
//! `J v` is the sum of the rings with one core replaced by `v_k`. Inner products of such rings are traces of
//! products of transfer matrices, so `(J^H J v)_k` needs one product of transfer matrices around the ring and
//! its derivative by the product rule: `O(m^2 R^6 + m n R^4)`, whatever the size of the tensor.

use crate::Error;
use crate::decomp::ring::als::chains::{around, slices, transfer, unsliced};
use crate::decomp::ring::als::sweep::damped_solve;
use crate::tensor::{Scalar, Tensor};
use faer::Mat;

/// A direction: for each core rows `(c, d)` and columns `i`.
pub(in crate::decomp::ring) type Direction<T> = Vec<Mat<T>>;

/// The cores of a point and what products with `J^H J` need.
pub(in crate::decomp::ring) struct Tangent<T: Scalar> {
    shapes: Vec<[usize; 3]>,
    transfers: Vec<Mat<T>>,
    cores: Direction<T>,
    /// Diagonal blocks of `J^H J`.
    normals: Vec<Mat<T>>,
}

impl<T: Scalar> Tangent<T> {
    pub(in crate::decomp::ring) fn new(cores: &[Tensor<T>], normals: Vec<Mat<T>>) -> Self {
        let shape = |g: &Tensor<T>| [g.dims()[0], g.dims()[1], g.dims()[2]];
        let shapes: Vec<[usize; 3]> = cores.iter().map(shape).collect();
        let flat = cores.iter().zip(&shapes);
        let cores: Direction<T> = flat.map(|(g, &s)| slices(g.as_slice(), s)).collect();
        let flat = cores.iter().zip(&shapes);
        let transfers = flat.map(|(g, s)| transfer(g, g, s[0], s[0])).collect();
        Self {
            shapes,
            transfers,
            cores,
            normals,
        }
    }

    /// `(J^H J + damping D) v`, `D` the mean diagonal of each block.
    pub(in crate::decomp::ring) fn times(&self, v: &Direction<T>, damping: f64) -> Direction<T> {
        let m = self.cores.len();
        let mixed: Vec<Mat<T>> = (0..m)
            .map(|k| transfer(&self.cores[k], &v[k], self.shapes[k][0], self.shapes[k][0]))
            .collect();
        let mut out = Vec::with_capacity(m);
        for k in 0..m {
            let mut walk: Option<(Mat<T>, Mat<T>)> = None;
            for step in 1..m {
                let j = (k + step) % m;
                let (e, f) = (&self.transfers[j], &mixed[j]);
                walk = Some(match walk {
                    None => (e.clone(), f.clone()),
                    Some((w, dw)) => {
                        let mut next = T::product(dw.as_ref(), e.as_ref());
                        next += T::product(w.as_ref(), f.as_ref());
                        (T::product(w.as_ref(), e.as_ref()), next)
                    }
                });
            }
            let mut part = T::product(self.normals[k].as_ref(), v[k].as_ref());
            if let Some((_, dw)) = &walk {
                let [c, _, d] = self.shapes[k];
                let turned = around(Some(dw), c, d);
                part += T::product(turned.as_ref(), self.cores[k].as_ref());
            }
            let weight = T::from_real(damping * mean_diagonal(&self.normals[k]));
            for j in 0..part.ncols() {
                let column = part.col_mut(j);
                let old = v[k].col(j);
                column
                    .iter_mut()
                    .zip(old.iter())
                    .for_each(|(x, &y)| *x += weight * y);
            }
            out.push(part);
        }
        out
    }

    /// The solution of `(J^H J + damping D) x = g` by conjugate gradients, preconditioned by the diagonal
    /// blocks. `J^H J` is singular along the gauge, where `g` has no part, and damped elsewhere.
    pub(in crate::decomp::ring) fn solve(
        &self,
        op: &'static str,
        g: &Direction<T>,
        damping: f64,
        steps: usize,
        accuracy: f64,
    ) -> Result<Direction<T>, Error> {
        let precondition = |r: &Direction<T>| -> Result<Direction<T>, Error> {
            let blocks = r.iter().zip(&self.normals);
            blocks
                .map(|(r, n)| damped_solve(op, n, r, damping.max(1e-12)))
                .collect()
        };
        let mut x: Direction<T> = g.iter().map(|m| Mat::zeros(m.nrows(), m.ncols())).collect();
        let mut r = g.clone();
        let mut z = precondition(&r)?;
        let mut p = z.clone();
        let (mut rz, goal) = (inner(&r, &z), accuracy * inner(g, g).sqrt());
        for _ in 0..steps {
            let q = self.times(&p, damping);
            let curvature = inner(&p, &q);
            let usable = curvature > 0.0 && rz.is_finite();
            if !usable {
                break;
            }
            let alpha = rz / curvature;
            add(&mut x, alpha, &p);
            add(&mut r, -alpha, &q);
            if inner(&r, &r).sqrt() <= goal {
                break;
            }
            z = precondition(&r)?;
            let next = inner(&r, &z);
            let beta = next / rz;
            rz = next;
            let old = std::mem::replace(&mut p, z.clone());
            add(&mut p, beta, &old);
        }
        Ok(x)
    }

    /// The cores moved by `x`.
    pub(in crate::decomp::ring) fn moved(&self, x: &Direction<T>) -> Result<Vec<Tensor<T>>, Error> {
        let mut out = Vec::with_capacity(x.len());
        for (k, shape) in self.shapes.iter().enumerate() {
            let sum = &self.cores[k] + &x[k];
            out.push(Tensor::from_vec(shape, unsliced(&sum, *shape))?);
        }
        Ok(out)
    }
}

fn mean_diagonal<T: Scalar>(m: &Mat<T>) -> f64 {
    let size = m.nrows().max(1);
    (0..m.nrows()).map(|i| m[(i, i)].real()).sum::<f64>() / size as f64
}

/// `Re <x, y>`.
pub(in crate::decomp::ring) fn inner<T: Scalar>(x: &Direction<T>, y: &Direction<T>) -> f64 {
    let mut sum = 0.0;
    for (a, b) in x.iter().zip(y) {
        for j in 0..a.ncols() {
            let pairs = a.col(j).iter().zip(b.col(j).iter());
            sum += pairs
                .map(|(&p, &q)| (p.conjugate() * q).real())
                .sum::<f64>();
        }
    }
    sum
}

/// `x += s y`.
fn add<T: Scalar>(x: &mut Direction<T>, s: f64, y: &Direction<T>) {
    let s = T::from_real(s);
    for (a, b) in x.iter_mut().zip(y) {
        for j in 0..a.ncols() {
            let pairs = a.col_mut(j).iter_mut().zip(b.col(j).iter());
            pairs.for_each(|(p, &q)| *p += s * q);
        }
    }
}
