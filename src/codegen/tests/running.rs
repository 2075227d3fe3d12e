//! Compiled functions as a thing to call: checks, errors, memory.

use super::*;
use crate::codegen::CodegenError;

fn doubling() -> Function {
    let mut draft = Draft::new();
    let x = draft.input(&[rows(), k()]);
    let y = draft.binary(BinaryOp::Add, x, x);
    draft.output(y);
    draft.function
}

#[test]
fn functions_share_code_across_threads() {
    let (f, g) = (doubling(), doubling());
    let mut compiled = compile(&[&f, &g], &sizes(3)).unwrap();
    let last = compiled.pop().unwrap();
    drop(compiled);
    let threads: Vec<_> = (0..4)
        .map(|t| {
            let last = last.clone();
            std::thread::spawn(move || {
                let mut y = [0.0; 15];
                last.call(&[&[f64::from(t); 15]], &mut [&mut y], 3, &mut Scratch::default());
                assert_eq!(y, [2.0 * f64::from(t); 15]);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
#[should_panic = "length of its type"]
fn wrong_lengths_do_not_reach_the_code() {
    let compiled = compile(&[&doubling()], &sizes(3)).unwrap().remove(0);
    compiled.call(&[&[0.0; 14]], &mut [&mut [0.0; 15]], 3, &mut Scratch::default());
}

#[test]
#[should_panic = "at most 3 rows"]
fn too_many_rows_do_not_reach_the_code() {
    let compiled = compile(&[&doubling()], &sizes(3)).unwrap().remove(0);
    compiled.call(&[&[0.0; 20]], &mut [&mut [0.0; 20]], 4, &mut Scratch::default());
}

#[test]
fn bad_sizes_are_errors() {
    let unknown = compile(&[&doubling()], &SizeTable::new(3)).err();
    assert_eq!(unknown, Some(CodegenError::UnknownSize("K".to_string())));

    let mut draft = Draft::new();
    let x = draft.input(&[rows(), rows()]);
    let exp = draft.unary(UnaryOp::Exp, x);
    let both = draft.binary(BinaryOp::Mul, exp, exp);
    let sum = draft.real(Op::Sum(both, vec![]), &[]);
    draft.output(sum);
    let huge = compile(&[&draft.function], &SizeTable::new(10_000_000)).err();
    assert_eq!(huge, Some(CodegenError::TooLarge));

    let mut draft = Draft::new();
    let (x, y) = (draft.input(&[k()]), draft.input(&[Size::datum("J")]));
    let sum = draft.binary(BinaryOp::Add, x, y);
    draft.output(sum);
    let mut table = sizes(3);
    table.set("J", 4);
    assert!(matches!(compile(&[&draft.function], &table), Err(CodegenError::Invalid(_))));
    table.set("J", 5);
    assert!(compile(&[&draft.function], &table).is_ok());

    let mut draft = Draft::new();
    let x = draft.input(&[size(9)]);
    let square = draft.real(Op::UnpackStrictLower(x), &[k(), k()]);
    draft.output(square);
    assert!(matches!(compile(&[&draft.function], &sizes(1)), Err(CodegenError::Invalid(_))));
}

#[test]
fn an_index_out_of_range_stays_in_the_array() {
    let mut draft = Draft::new();
    let x = draft.input(&[k()]);
    let i = draft.input_of(InputKind::Datum(1), ValueType::int());
    let y = draft.real(Op::Index(x, vec![Some(i)]), &[]);
    draft.output(y);
    let compiled = compile(&[&draft.function], &sizes(1)).unwrap().remove(0);
    let values = vec![1.0, 2.0, 3.0, 4.0, 5.0];
    for bad in [-1.0, 5.0, 1e300, f64::INFINITY, -1e300] {
        let y = call(&draft.function, &compiled, &[values.clone(), vec![bad]], 0)[0][0];
        assert!(values.contains(&y), "{bad} read {y}");
    }
}

#[test]
fn a_part_of_nothing_stays_in_work_space() {
    let mut draft = Draft::new();
    let x = draft.input(&[rows(), size(5000)]);
    let i = draft.whole(Op::Int(0));
    let row = draft.real(Op::Index(x, vec![Some(i), None]), &[size(5000)]);
    let value = draft.unary(UnaryOp::Square, row);
    let set = Op::Set { base: x, at: vec![Some(i), None], value };
    let y = draft.real(set, &[rows(), size(5000)]);
    draft.output(y);
    let compiled = compile(&[&draft.function], &sizes(1)).unwrap().remove(0);
    // What would be read is not the point; that nothing else is touched is.
    assert_eq!(call(&draft.function, &compiled, &[vec![]], 0), [vec![0.0; 0]]);
}
