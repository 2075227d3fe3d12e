//! What an encoder reads of rows: every kind of datum once, in the order of rows, and nothing of
//! those held out.

use super::data::rows;
use crate::model::compile;
use crate::source::Source;
use crate::target::{RowColumn, Target};

const MODEL: &str = "data {
  table films by film { real length; }
  factor item levels(\"a\", \"b\", \"c\");
  branch g {
    rows N by t;
    vector[N] t;
    vector[N] unread;
    array[N] index(films) film;
    array[N] index(item) item;
    array[N] int<lower=0> k;
    real u;
    vector[N] y missing;
  }
}
global { vector[size(item)] m ~ normal(0, 1); }
local {
  real z ~ normal(u, 1);
  y ~ normal(z + m[item] + films.length[film] + t, 1);
  k ~ poisson_log(z);
}";
const ROWS: &str = "g,t,unread,film,item,k,u,y\n\
    1,30,0,f2,c,5,-2,1.5\n1,10,0,f1,a,0,-2,\n1,20,0,f2,b,2,-2,0.5\n2,10,0,f1,a,1,4,3\n";
const FILMS: &str = "film,length\nf1,90\nf2,120\n";

#[test]
fn rows_have_the_data_that_reach_a_density() {
    let model = compile(&Source::new("features.hbd", MODEL)).unwrap_or_else(|e| panic!("{e}"));
    let data = rows(ROWS).table("films", rows(FILMS)).bind(model.schema()).expect("data that fit");
    let evaluator = model.evaluator(&data).expect("an evaluator");
    use RowColumn::{Count, Flag, Level, Number};
    // t, length of the film, item, k, u, y, whether y is there, place.
    let columns = [Number, Number, Level(3), Count, Number, Number, Flag, Number];
    assert_eq!(evaluator.row_columns(), columns);
    let mut read = vec![];
    evaluator.row_features(0, &mut read);
    let third = 1.0 / 3.0;
    let expected = [
        [10.0, 90.0, 0.0, 0.0, -2.0, f64::NAN, 0.0, third],
        [20.0, 120.0, 1.0, 2.0, -2.0, 0.5, 1.0, 2.0 * third],
        [30.0, 120.0, 2.0, 5.0, -2.0, 1.5, 1.0, 1.0],
    ];
    let same = |a: &f64, b: &f64| (a - b).abs() < 1e-12 || a.is_nan() && b.is_nan();
    let all = expected.concat();
    assert_eq!(read.len(), all.len());
    assert!(read.iter().zip(&all).all(|(a, b)| same(a, b)), "{read:?}");
    let mask = vec![1.0, 0.0, 1.0, 1.0];
    let held_out = model.evaluator_with_held_out(&data, Some(mask)).expect("an evaluator");
    held_out.row_features(0, &mut read);
    let kept = [expected[0], expected[2]].concat();
    assert_eq!(read.len(), kept.len());
    assert!(read.iter().zip(&kept).all(|(a, b)| same(a, b)), "{read:?}");
}
