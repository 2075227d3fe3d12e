//! Parts of a data set, and rows in the terms of another, are as if read on their own.

use super::data::{bound, rows};
use crate::data::{BoundData, Dataset};
use crate::model::{CompiledModel, compile};
use crate::source::Source;

/// Data of every kind: of rows, sorted; of branches; derived at each level; standardised; of a
/// factor whose levels are written; with empty cells.
const MODEL: &str = "data {
  factor item levels(\"a\", \"b\", \"c\");
  real centre = mean(column(x));
  branch g {
    rows N by t;
    vector[N] t;
    vector[N] x;
    vector[N] s = standardize(x);
    vector[N] d = x - centre;
    array[N] index(item) item;
    real u;
    vector[N] y missing;
  }
}
global { vector[size(item)] m ~ normal(0, 1); }
local { real z ~ normal(u, 1); y ~ normal(z + m[item] + s .* d + t, 1); }";
const HEADER: &str = "g,t,x,item,u,y\n";
const LINES: [&str; 9] = [
    "3,1,2.5,a,1,0.5",
    "1,2,1,b,2,",
    "1,1,4,a,2,1.5",
    "2,1,-1,a,3,2",
    "3,2,0.5,c,1,-1",
    "4,1,7,b,4,0",
    "2,3,2,b,3,",
    "2,2,5,a,3,0.25",
    "4,2,-3,a,4,3",
];

fn model() -> CompiledModel {
    compile(&Source::new("part.hbd", MODEL)).unwrap_or_else(|error| panic!("{error}"))
}

/// The lines of these branches.
fn of(keys: &[&str]) -> Dataset {
    let is_of = |line: &&&str| keys.contains(&&line[..1]);
    let lines: Vec<&str> = LINES.iter().filter(is_of).copied().collect();
    rows(&format!("{HEADER}{}\n", lines.join("\n")))
}

fn part(model: &CompiledModel, data: &BoundData, keep: &[usize]) -> BoundData {
    model.schema().part(data, keep, None).expect("the part fits")
}

#[test]
fn a_part_is_what_its_rows_alone_would_be() {
    let model = model();
    let all = bound(&model, of(&["1", "2", "3", "4"]));
    let some = part(&model, &all, &[0, 2]);
    let alone = bound(&model, of(&["1", "3"]));
    assert_eq!(some.fingerprint(), alone.fingerprint());
    for row in 0..4 {
        assert!(some.place(row).starts_with("rows.csv:"), "{}", some.place(row));
    }
    assert_ne!(some.fingerprint(), all.fingerprint());
    assert_eq!(part(&model, &all, &[0, 1, 2, 3]).fingerprint(), all.fingerprint());
    // A part of a part.
    let twice = part(&model, &part(&model, &all, &[0, 2, 3]), &[0, 1]);
    assert_eq!(twice.fingerprint(), alone.fingerprint());
}

#[test]
fn what_is_left_out_is_in_the_terms_of_what_is_kept() {
    let model = model();
    let all = bound(&model, of(&["1", "2", "3", "4"]));
    let kept = part(&model, &all, &[0, 2]);
    let out = model.schema().part(&all, &[1, 3], Some(&kept)).expect("the part fits");
    let read = of(&["2", "4"]).bind_like(model.schema(), &kept).expect("the rows fit");
    assert_eq!(out.fingerprint(), read.fingerprint());
    // x of branches 1 and 3 is 1, 4, 2.5, 0.5: mean 2, sd √(7.5/3).
    let value = |name: &str| out.values(out.schema_position(name).expect("a datum"))[0];
    assert_eq!((value("x"), value("centre"), value("d")), (-1.0, 2.0, -3.0));
    let standardized = out
        .schema()
        .data
        .iter()
        .position(|datum| matches!(datum.origin, crate::schema::Origin::Standardized(_)));
    let s = out.values(standardized.expect("x is standardised"))[0];
    assert!((s + 3.0 / 2.5_f64.sqrt()).abs() < 1e-14, "{s}");
}

#[test]
fn held_out_branches_do_not_depend_on_the_order_of_the_file() {
    let text = |keys: &mut dyn Iterator<Item = usize>| {
        let lines: Vec<String> = keys
            .map(|key| format!("{key},1,{},a,0,0\n{key},2,{key},b,0,1\n", key * key + 1))
            .collect();
        format!("{HEADER}{}", lines.concat())
    };
    let model = model();
    let out = |text: String, seed: u64| {
        let data = bound(&model, rows(&text));
        let (kept, out) = data.hold_out_branches(0.2, seed).expect("there are enough");
        assert_eq!((kept.len(), out.len()), (40, 10));
        let keys: Vec<String> = out.iter().map(|&branch| data.key(branch).concat()).collect();
        (keys, part(&model, &data, &kept).fingerprint())
    };
    let up = out(text(&mut (1..51)), 1);
    assert_eq!(up, out(text(&mut (1..51).rev()), 1));
    assert_ne!(up.0, out(text(&mut (1..51)), 2).0, "another seed, other branches");
    let single = bound(&model, rows(&text(&mut (1..2))));
    assert!(single.hold_out_branches(0.5, 1).is_err());
}
