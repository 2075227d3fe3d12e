//! Every op by itself, to the third order.

use super::*;
use crate::codegen::tests::{k, rows};
use crate::ir::op::{BinaryOp, UnaryOp, ValueId};
use crate::ty::Element;

/// Every result through `sin`, so that linear ops have derivatives of all orders.
fn check_linear(dims: &[Vec<Size>], write: impl Fn(&mut Builder, &[ValueId]) -> ValueId) {
    let f = function(dims, |b, x| {
        let curved: Vec<ValueId> = x.iter().map(|&x| b.unary(UnaryOp::Sin, x)).collect();
        let y = write(b, &curved);
        vec![b.unary(UnaryOp::Sin, y)]
    });
    for n_rows in [1, 3] {
        check(&f, n_rows, 3);
    }
}

fn at_points(f: &Function, points: &[&[f64]]) {
    let place = points.iter().enumerate();
    let place = place.map(|(k, x)| (InputKind::Local(k), x.to_vec())).collect();
    check_at(f, place, 3, 3);
}

#[test]
fn unary_ops() {
    for op in UnaryOp::ALL {
        let f = function(&[vec![size(3)]], |b, x| vec![b.unary(op, x[0])]);
        for points in domain(op) {
            at_points(&f, &[points]);
        }
    }
}

/// Points inside the domain of an op.
fn domain(op: UnaryOp) -> &'static [&'static [f64]] {
    use UnaryOp as U;
    match op {
        U::InvPhi => &[&[0.3, 0.8, 0.55]],
        U::Asin | U::Acos | U::Atanh => &[&[0.3, 0.7, -0.6]],
        U::Acosh => &[&[1.3, 1.8, 2.7]],
        U::Log1mExp => &[&[-0.3, -0.8, -2.4]],
        U::Log | U::Log2 | U::Log10 | U::Sqrt | U::Lgamma | U::Polygamma(_) => &[&[0.3, 0.8, 2.7]],
        _ => &[&[0.3, 0.8, 2.7], &[-0.3, -0.8, 0.4]],
    }
}

#[test]
fn binary_ops() {
    for op in BinaryOp::ALL {
        let f = function(&[vec![size(4)], vec![size(4)]], |b, x| {
            let whole = matches!(op, BinaryOp::IntDiv | BinaryOp::Rem);
            if !whole {
                return vec![b.binary(op, x[0], x[1])];
            }
            let ints = ValueType { element: Element::Int, dims: vec![size(4)] };
            let n = b.input(InputKind::Datum(0), "n", ints.clone());
            let m = b.input(InputKind::Datum(1), "m", ints);
            let y = b.binary(op, n, m);
            let y = b.mul(y, x[0]);
            vec![b.mul(y, x[1])]
        });
        let mut place = Place::new();
        place.insert(InputKind::Local(0), vec![0.4, 1.9, 2.0, 0.7]);
        // Incomplete gamma functions and the beta function have none of negative numbers.
        let needs_positive = matches!(op, BinaryOp::LogBeta | BinaryOp::Partial(..));
        let third = if needs_positive { 1.5 } else { -1.5 };
        place.insert(InputKind::Local(1), vec![1.3, 0.6, third, 3.0]);
        place.insert(InputKind::Datum(0), vec![7.0, -7.0, 0.0, 5.0]);
        place.insert(InputKind::Datum(1), vec![2.0, 3.0, 4.0, -2.0]);
        check_at(&f, place, 3, 3);
    }
}

#[test]
fn powers_with_known_exponents_and_with_itself() {
    for exponent in [-2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0] {
        let f = function(&[vec![size(2)]], |b, x| {
            let exponent = b.real(exponent);
            vec![b.pow(x[0], exponent)]
        });
        at_points(&f, &[&[0.4, 1.7]]);
    }
    let f = function(&[vec![size(2)]], |b, x| vec![b.pow(x[0], x[0])]);
    at_points(&f, &[&[0.4, 1.7]]);
    let cube = function(&[vec![size(2)]], |b, x| {
        let three = b.real(3.0);
        vec![b.pow(x[0], three)]
    });
    at_points(&cube, &[&[-0.4, 0.2]]);
}

#[test]
fn choices() {
    check_linear(&[vec![rows()], vec![rows()], vec![rows()]], |b, x| {
        let zero = b.real(0.0);
        let c = b.binary(BinaryOp::Less, zero, x[0]);
        let first = b.exp(x[1]);
        b.select(c, first, x[2])
    });
    // One side is no function of the locals, the condition a scalar.
    check_linear(&[vec![], vec![rows()]], |b, x| {
        let one = b.real(1.0);
        let c = b.binary(BinaryOp::Less, x[0], one);
        let fill = b.fill(0.25, vec![rows()]);
        b.select(c, x[1], fill)
    });
}

#[test]
fn broadcasts_and_sums() {
    check_linear(&[vec![rows()]], |b, x| b.broadcast(x[0], &[1], &[k(), rows(), size(2)]));
    check_linear(&[vec![rows(), k()]], |b, x| b.broadcast(x[0], &[2, 0], &[k(), size(2), rows()]));
    check_linear(&[vec![]], |b, x| b.broadcast(x[0], &[], &[k(), rows()]));
    for keep in [&[][..], &[0], &[2, 0], &[1, 2]] {
        check_linear(&[vec![size(2), rows(), size(3)]], |b, x| b.sum_keeping(x[0], keep));
    }
    // Repeated values are counted instead of summed.
    check_linear(&[vec![rows()]], |b, x| {
        let repeated = b.broadcast(x[0], &[1], &[k(), rows()]);
        b.sum_keeping(repeated, &[1])
    });
}

#[test]
fn contractions() {
    let n = || vec![rows()];
    let m = || vec![rows(), k()];
    check_linear(&[m(), vec![k()]], |b, x| b.mat_vec(x[0], x[1]));
    check_linear(&[m(), vec![k(), size(2)]], |b, x| b.mat_mul(x[0], x[1]));
    check_linear(&[n(), n()], |b, x| b.dot(x[0], x[1]));
    check_linear(&[n(), vec![k()]], |b, x| b.contract(x[0], &[1], x[1], &[0], 2));
    // Both operands are the same value.
    check_linear(&[m()], |b, x| b.contract(x[0], &[2, 0], x[0], &[2, 1], 2));
    check_linear(&[n()], |b, x| b.dot(x[0], x[0]));
    // Labels that only one operand has are summed as well.
    check_linear(&[m(), n()], |b, x| b.contract(x[0], &[0, 1], x[1], &[0], 1));
    check_linear(&[m(), m()], |b, x| b.contract(x[0], &[0, 2], x[1], &[3, 1], 2));
    check_linear(&[n(), vec![k()]], |b, x| b.contract(x[0], &[0], x[1], &[1], 0));
    // An elementwise product with a kept shared label, transposed; a scalar operand.
    check_linear(&[m(), m()], |b, x| b.contract(x[0], &[1, 0], x[1], &[1, 0], 2));
    check_linear(&[vec![], m()], |b, x| b.contract(x[0], &[], x[1], &[1, 0], 2));
    check_linear(&[vec![size(2), rows(), k()], m()], |b, x| {
        b.contract(x[0], &[0, 2, 1], x[1], &[2, 1], 2)
    });
    // With constants, which contract into sums.
    check_linear(&[m()], |b, x| {
        let ones = b.fill(1.0, vec![k()]);
        b.mat_vec(x[0], ones)
    });
    check_linear(&[vec![k(), k()]], |b, x| {
        let eye = b.eye(k(), k(), size(0));
        let shifted = b.eye(k(), k(), size(1));
        let same = b.mat_mul(x[0], eye);
        b.mat_mul(same, shifted)
    });
}

#[test]
fn parts_are_read_and_changed() {
    let at = |b: &mut Builder, k: i64| Some(b.int(k));
    check_linear(&[vec![k()]], |b, x| {
        let at = vec![at(b, 3)];
        b.index(x[0], at)
    });
    check_linear(&[vec![k(), rows(), size(3)]], |b, x| {
        let places = [at(b, 4), at(b, 1)];
        let first = b.index(x[0], vec![places[0], None, places[1]]);
        let again = b.index(x[0], vec![places[0], None, places[0].and(places[1])]);
        b.mul(first, again)
    });
    check_linear(&[vec![k(), rows()], vec![rows()]], |b, x| {
        let places = vec![at(b, 2), None];
        b.set(x[0], places, x[1])
    });
    check_linear(&[vec![k(), rows()], vec![k()]], |b, x| {
        let places = vec![None, at(b, 0)];
        let once = b.add_at(x[0], places.clone(), x[1]);
        b.add_at(once, places, x[1])
    });
    // Written into constants, and over what was written before.
    check_linear(&[vec![], vec![]], |b, x| {
        let zeros = b.fill(0.0, vec![k()]);
        let places = [vec![at(b, 1)], vec![at(b, 3)]];
        let one = b.set(zeros, places[0].clone(), x[0]);
        let two = b.set(one, places[1].clone(), x[1]);
        let over = b.set(two, places[0].clone(), x[1]);
        let both = b.add_at(over, places[0].clone(), x[0]);
        b.add(both, two)
    });
    check_linear(&[vec![rows()], vec![rows()]], |b, x| {
        let constant = b.fill(0.5, vec![rows()]);
        let stack = b.stack(vec![x[0], constant, x[1], x[0]]);
        let place = vec![at(b, 2), None];
        let part = b.index(stack, place);
        let part = b.broadcast(part, &[1], &[size(4), rows()]);
        b.mul(stack, part)
    });
}

#[test]
fn structured_matrices() {
    let square = || vec![k(), k()];
    let with_more = || vec![k(), k(), rows()];
    let pairs = || Size::strict_triangle(&k());
    check_linear(&[square()], |b, x| b.diagonal(x[0]));
    check_linear(&[with_more()], |b, x| b.diagonal(x[0]));
    check_linear(&[vec![k()]], |b, x| b.diagonal_matrix(x[0]));
    check_linear(&[vec![k(), size(2)]], |b, x| b.diagonal_matrix(x[0]));
    check_linear(&[square()], |b, x| b.lower_triangle(x[0]));
    check_linear(&[with_more()], |b, x| b.lower_triangle(x[0]));
    check_linear(&[vec![pairs()]], |b, x| b.unpack_strict_lower(x[0], k()));
    check_linear(&[vec![pairs(), size(2)]], |b, x| b.unpack_strict_lower(x[0], k()));
    check_linear(&[square()], |b, x| b.pack_strict_lower(x[0], pairs()));
    check_linear(&[with_more()], |b, x| b.pack_strict_lower(x[0], pairs()));
}

#[test]
fn running_sums() {
    for axis in [0, 1] {
        for (exclusive, reverse) in [(false, false), (false, true), (true, false), (true, true)] {
            check_linear(&[vec![rows(), k()]], |b, x| {
                b.cumulative_sum(x[0], axis, exclusive, reverse)
            });
        }
    }
}

#[test]
fn triangular_solves() {
    for transpose in [false, true] {
        for rhs in [vec![size(3)], vec![size(3), size(2)]] {
            let dims = [vec![size(3), size(3)], rhs];
            // The diagonal stays away from zero; the upper triangle must not matter.
            let well = |b: &mut Builder, m: ValueId| {
                let eye = b.eye(size(3), size(3), size(0));
                let diagonal = b.scale(eye, 2.5);
                b.add(m, diagonal)
            };
            check_linear(&dims, |b, x| {
                let matrix = well(b, x[0]);
                b.solve_lower(matrix, x[1], transpose)
            });
            let constant = function(&dims, |b, x| {
                let matrix = well(b, x[0]);
                let ones = b.fill(1.0, vec![size(3)]);
                vec![b.solve_lower(matrix, ones, transpose)]
            });
            check(&constant, 3, 3);
        }
    }
}

/// Derivatives at places where a careless rule divides zero by zero.
#[test]
fn no_nan_where_the_derivative_exists() {
    let gradient_at = |f: &Function, x: &[f64]| -> Vec<f64> {
        let scalar = weighted_sum(f);
        let g = gradient(&scalar, &[], &[(0, Seed::One)], is_local);
        let place = [(InputKind::Local(0), x.to_vec()), (weight(0), vec![1.0; x.len()])];
        run_both(&g, &place.into_iter().collect(), 1).remove(0)
    };
    let power = |exponent: f64| {
        function(&[vec![size(2)]], |b, x| {
            let exponent = b.real(exponent);
            vec![b.pow(x[0], exponent)]
        })
    };
    assert_eq!(gradient_at(&power(3.0), &[0.0, -2.0]), [0.0, 12.0]);
    assert_eq!(gradient_at(&power(0.0), &[0.0, 2.0]), [0.0, 0.0]);
    let abs = function(&[vec![size(2)]], |b, x| vec![b.unary(UnaryOp::Abs, x[0])]);
    assert_eq!(gradient_at(&abs, &[0.0, -2.0]), [0.0, -1.0]);
    for op in [UnaryOp::Log1pExp, UnaryOp::LogCosh, UnaryOp::InvLogit, UnaryOp::Tanh, UnaryOp::Phi]
    {
        let f = function(&[vec![size(2)]], |b, x| vec![b.unary(op, x[0])]);
        let far = gradient_at(&f, &[-800.0, 800.0]);
        assert!(far.iter().all(|g| g.is_finite()), "{op:?}: {far:?}");
    }
}

#[test]
fn other_shapes() {
    let wide = [vec![size(3), k()], vec![k(), size(3)]];
    check_linear(&wide[..1], |b, x| b.reshape(x[0], &[k(), size(3)]));
    check_linear(&wide[1..], |b, x| b.reshape(x[0], &[k().checked_mul(&size(3)).unwrap()]));
    check_linear(&[vec![rows()]], |b, x| b.reshape(x[0], &[size(1), rows()]));
}

/// Where the largest element is only a scale, the derivative is right though it is taken for
/// a constant.
#[test]
fn the_largest_element_as_a_scale() {
    let f = function(&[vec![size(3), size(2)]], |b, x| {
        let largest = b.largest_keeping(x[0], &[1]);
        let shifts = b.broadcast(largest, &[1], &[size(3), size(2)]);
        let shifted = b.sub(x[0], shifts);
        let terms = b.unary(UnaryOp::Exp, shifted);
        let sum = b.sum_keeping(terms, &[1]);
        let log = b.unary(UnaryOp::Log, sum);
        vec![b.add(log, largest)]
    });
    at_points(&f, &[&[0.3, 0.8, 2.7, -1.0, 0.4, 0.2]]);
}

/// At a base of zero slopes of all orders are numbers: zero, where they have no limit.
#[test]
fn powers_of_zero() {
    let f = function(&[vec![size(2)], vec![size(2)]], |b, x| vec![b.pow(x[0], x[1])]);
    let is_local = |kind| matches!(kind, InputKind::Local(_));
    let scalar = weighted_sum(&f);
    let first = gradient(&scalar, &[], &[(0, Seed::One)], is_local);
    let second = jacobian(&first, &Directions::of_inputs(&f, is_local));
    let mut place: Place = [(0, vec![0.0, 0.0]), (1, vec![0.5, 2.5])]
        .into_iter()
        .map(|(k, x)| (InputKind::Local(k), x))
        .collect();
    place.insert(weight(0), vec![1.0, 1.0]);
    let of = |f: &Function| -> Vec<f64> {
        let inputs = f.inputs.iter().map(|input| place[&input.kind].clone()).collect::<Vec<_>>();
        interpret(f, &inputs, 1).concat()
    };
    assert_eq!(of(&first), [0.0; 4]);
    assert!(of(&second).iter().all(|slope| slope.is_finite()), "{:?}", of(&second));
}
