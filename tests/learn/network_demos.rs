//! The three stories of `examples/network_demos.rs` hold.
#![allow(clippy::unwrap_used)]

#[path = "../../examples/network_demos.rs"]
mod stories;

use stories::{invisible_network, one_gradient_step, quadratic, tanh, taylor_remainders};

#[test]
fn the_second_order_expansion_is_better_and_exact_for_quadratics() {
    let [narrow, wide] = [100, 1600].map(|m| taylor_remainders(tanh, 20, m, 1));
    assert!(narrow[1] < 0.5 * narrow[0] && wide[1] < 0.5 * wide[0]);
    // Both fall with the width, the quadratic one faster.
    assert!(wide[0] < 0.5 * narrow[0] && wide[1] / narrow[1] < wide[0] / narrow[0]);
    let [linear, square] = taylor_remainders(quadratic, 20, 400, 1);
    // Sums of 400 terms in another order.
    assert!(
        linear > 1e-6 && square < 400.0 * f64::EPSILON * 100.0,
        "{square:e}"
    );
}

#[test]
fn what_low_degrees_cannot_see_is_learnt() {
    let [polynomial, learned] = invisible_network(8, 4, 3000, 2).unwrap();
    assert!(polynomial > 0.95, "{polynomial}");
    assert!(learned < 1e-20, "{learned:e}");
}

#[test]
fn one_gradient_step_flips_the_sign() {
    let [rate, length] = one_gradient_step(400, 800, 40, 3);
    assert!(rate > 0.9, "{rate}");
    // A tenth of the input's length would be 2.
    assert!(length < 4.0, "{length}");
}
