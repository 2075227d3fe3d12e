//! Laws of the encoders: gradients are central differences, and the order of rows says nothing.

use super::*;
use crate::infer::linalg::dot;
use crate::infer::tests::glmm::Glmm;
use crate::infer::tests::models;
use crate::random::Purpose;

const KINDS: [Kind; 5] = [
    Kind::Sites,
    Kind::Pooled(Form::Site),
    Kind::Pooled(Form::Dense(3)),
    Kind::Pooled(Form::Block),
    Kind::Pooled(Form::Diagonal),
];

fn encoder(target: &Glmm, kind: Kind) -> RowEncoder {
    let mut encoder = RowEncoder::new(target, &[0, 1, 2, 3], kind, 1).expect("rows to read");
    let mut stream = Stream::new(8, Purpose::Initial, 0, 0, 0);
    encoder.weights.iter_mut().for_each(|w| *w += 0.05 * stream.normal());
    encoder
}

#[test]
fn gradients_in_the_weights_are_central_differences() {
    let target = models::logistic(5, 6, 2);
    gradients_are_central_differences(&target);
    // Rows that are equal, in a branch and in several.
    let mut repeated = target.clone();
    let model = std::sync::Arc::make_mut(&mut repeated.0);
    let more = model.branches[0].clone();
    model.branches[2].extend(more);
    model.branches[4].extend_from_within(1..);
    gradients_are_central_differences(&repeated);
}

/// Fits read rows in single precision.
#[test]
fn single_precision_gives_what_double_does_to_some_digits() {
    let target = models::logistic(5, 6, 2);
    for kind in KINDS {
        let encoder = encoder(&target, kind);
        let (single, double) =
            (read_in::<f32>(&encoder, &target), read_in::<f64>(&encoder, &target));
        for (single, double) in [(single.0, double.0), (single.1, double.1)] {
            let size = dot(&double, &double).sqrt();
            let mut off = single;
            off.iter_mut().zip(&double).for_each(|(a, b)| *a -= b);
            let off = dot(&off, &off).sqrt() / size;
            assert!(off > 0.0 && off < 1e-5, "{kind:?}: {off}");
        }
    }
}

/// Parameters of branches, and the gradient in the weights of their sum.
fn read_in<F: Real>(encoder: &RowEncoder, target: &Glmm) -> (Vec<f64>, Vec<f64>) {
    let mut block = Block::<F>::default();
    encoder.encode(target, &[0, 1, 2, 3, 4], &mut block);
    block.adjoint.fill(1.0);
    let mut gradient = vec![0.0; encoder.weights.len()];
    encoder.backward(&block, &mut gradient);
    (block.outputs, gradient)
}

fn gradients_are_central_differences(target: &Glmm) {
    for kind in KINDS {
        let encoder = encoder(target, kind);
        let mut block = Block::<f64>::default();
        let branches = [0, 2, 4];
        encoder.encode(target, &branches, &mut block);
        let mut stream = Stream::new(7, Purpose::Initial, 0, 0, 0);
        let mut adjoint = vec![0.0; block.outputs.len()];
        stream.normals(&mut adjoint);
        let mut gradient = vec![0.0; encoder.weights.len()];
        block.adjoint = adjoint.clone();
        // Adjoints of L's diagonal are those of its logarithm.
        let n = target.n_local();
        if !matches!(kind, Kind::Sites | Kind::Pooled(Form::Site)) {
            let size = block.outputs.len() / branches.len();
            for (own, out) in block.adjoint.chunks_mut(size).zip(block.outputs.chunks(size)) {
                let diagonal = |i: usize| match kind {
                    Kind::Pooled(Form::Diagonal) => n + i,
                    _ => size - n * n + i * n + i,
                };
                (0..n).map(diagonal).for_each(|k| own[k] *= out[k]);
            }
        }
        encoder.backward(&block, &mut gradient);
        let value = |weights: &[f64]| {
            let encoder = RowEncoder { weights: weights.to_vec(), ..encoder.clone() };
            let mut block = Block::<f64>::default();
            encoder.encode(target, &branches, &mut block);
            dot(&block.outputs, &adjoint)
        };
        // Every seventh weight: all layers are met, and the test is quick.
        for k in (0..gradient.len()).step_by(7) {
            let moved = |h: f64| {
                let mut weights = encoder.weights.clone();
                weights[k] += h;
                value(&weights)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            let near = (slope - gradient[k]).abs() < 1e-6 * (1.0 + slope.abs());
            assert!(near, "{kind:?} {k}: {slope} {}", gradient[k]);
        }
    }
}

#[test]
fn the_order_of_rows_and_of_branches_says_nothing() {
    let target = models::logistic(5, 9, 3);
    let mut turned = target.clone();
    let model = std::sync::Arc::make_mut(&mut turned.0);
    model.branches.iter_mut().for_each(|rows| rows.rotate_left(2));
    for kind in KINDS {
        let encoder = encoder(&target, kind);
        let (mut one, mut other, mut alone) = <(Block<f64>, Block<f64>, Block<f64>)>::default();
        encoder.encode(&target, &[0, 1, 2, 3, 4], &mut one);
        encoder.encode(&turned, &[4, 3, 2, 1, 0], &mut other);
        encoder.encode(&target, &[3], &mut alone);
        for branch in 0..5 {
            let (a, b) = (one.of(branch), other.of(branch));
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{kind:?} {branch}");
        }
        let (a, b) = (one.of(3), alone.of(3));
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{kind:?} alone");
    }
}

#[test]
fn an_encoder_read_back_gives_the_same_parameters() {
    let target = models::logistic(5, 6, 2);
    for kind in KINDS {
        let encoder = encoder(&target, kind);
        let text = serde_json::to_string(&encoder).expect("numbers and names");
        let read: RowEncoder = serde_json::from_str(&text).expect("what was written");
        assert_eq!(encoder, read);
    }
}
