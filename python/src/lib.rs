//! The Python face of wickring: thin doors onto the library, no mathematics.
//!
//! | file | what it does |
//! |---|---|
//! | `error.rs` | errors to exceptions with fields |
//! | `observe.rs` | work without the interpreter's lock, stopped by Ctrl-C, callbacks and time limits |
//! | `arrays.rs` | numpy's memory as tensors; evidence as dictionaries |
//! | `operand.rs`, `poly.rs`, `gaussian.rs`, `groebner.rs` | `wickring.Poly` |
//! | `constrained.rs` | CP under constraints, PARAFAC2 |
//! | `decompose.rs` | decompositions |
//! | `learn.rs`, `model.rs` | learners, and model files as one class |
//! | `moments.rs`, `passes.rs` | `wickring.Moments`; what learners ask of rows that lie anywhere |
//! | `certify.rs` | verdicts and certificates |

mod arrays;
mod certify;
mod constrained;
mod decompose;
mod error;
mod gaussian;
mod groebner;
mod learn;
mod model;
mod moments;
mod observe;
mod operand;
mod passes;
mod poly;
mod theorems;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::certify::{check, emit, identity_certificate, residual_certificate, verify};
    #[pymodule_export]
    use super::constrained::{cp_constrained, parafac2};
    #[pymodule_export]
    use super::decompose::{
        cp, cp_complex, cp_dense, cp_dense_complex, cp_sparse, ring, ring_complex, ring_dense,
        ring_dense_complex, symmetric, train, tucker,
    };
    #[pymodule_export]
    use super::groebner::groebner;
    #[pymodule_export]
    use super::learn::{
        affine_network, constant_network, learn_best_mixture, learn_mixture, learn_polynomial,
        learn_quadratic, learn_relu, learn_score, learn_two_layer, normal_map, normal_mixture,
    };
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::moments::Moments;
    #[pymodule_export]
    use super::operand::Poly;
    #[pymodule_export]
    use super::passes::{Pass, PassSums, learn_quadratic_passes};
    #[pymodule_export]
    use super::theorems::{prove_cores, prove_roots, prove_sum};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
