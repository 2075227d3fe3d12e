//! Random functions: whatever ops meet, derivatives agree with differences.

use super::*;
use crate::codegen::tests::random::random_function;

const SEED: u64 = 41;

/// Inputs of more elements are held fixed, so that Hessians stay small.
const MOST_ELEMENTS: usize = 15;

#[test]
fn random_functions() {
    for round in 0..200 {
        let mut function = random_function(SEED + round);
        let n_rows = [1, 2, 3][round as usize % 3];
        for (k, input) in function.inputs.iter_mut().enumerate() {
            if length(&input.ty, n_rows) <= MOST_ELEMENTS {
                input.kind = InputKind::Local(k);
            }
        }
        println!("seed {}", SEED + round);
        check(&function, n_rows, if round % 4 == 0 { 3 } else { 2 });
    }
}
