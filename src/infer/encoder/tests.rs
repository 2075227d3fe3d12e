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
    for kind in KINDS {
        let encoder = encoder(&target, kind);
        let mut block = Block::default();
        let branches = [0, 2, 4];
        encoder.encode(&target, &branches, &mut block);
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
            let mut block = Block::default();
            encoder.encode(&target, &branches, &mut block);
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
        let (mut one, mut other, mut alone) = <(Block, Block, Block)>::default();
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
