//! What is said of Parquet files that are not what a model wants.

use std::fs;

use crate::program::Bench;
use crate::write::{PLAIN, Values, write};

const MODEL: &str = "data { branch g { rows N; vector[N] y; array[N] int n; } }
global { real m ~ normal(0, 1); } local { y ~ normal(m, 1); n ~ poisson_log(m); }";

/// What `check` says of a file with these columns.
fn said_of(columns: &[(&str, Values)]) -> String {
    let bench = Bench::new();
    bench.write("m.hbd", MODEL);
    write(&bench.path("d.parquet"), PLAIN, columns);
    bench.run("check m.hbd --data d.parquet").ends_with(1).stderr
}

fn g() -> (&'static str, Values) {
    ("optional binary g (UTF8)", Values::texts(["a", "a", "b"]))
}

fn n() -> (&'static str, Values) {
    ("required int32 n", Values::I32(vec![Some(1), Some(2), Some(3)]))
}

#[test]
fn cells_are_named_by_row_column_and_branch() {
    let y = |values: [Option<f64>; 3]| ("optional double y", Values::F64(values.to_vec()));
    assert_eq!(
        said_of(&[g(), y([Some(1.0), None, Some(f64::INFINITY)]), n()]),
        "\
error[missing-value]: d.parquet, row 2, column `y`, branch g = a: the cell is empty
  also d.parquet, row 3, column `y`, branch g = b: `inf` is not finite
  help: fill it in, drop rows with missing values, `--na drop`, or allow them in an outcome, which then has no term there: `vector[N] y missing;`
"
    );
    let texts = ("optional binary y", Values::texts(["1", " 2.5 ", "two"]));
    let said = said_of(&[g(), texts, n()]);
    let expected =
        "error[not-a-number]: d.parquet, row 3, column `y`, branch g = b: `two` is not a number\n";
    assert!(said.starts_with(expected), "{said}");
    let n = ("required double n", Values::doubles(&[1.0, 2.5, 3.0]));
    let said = said_of(&[g(), y([Some(1.0); 3]), n]);
    let expected =
        "error[not-whole]: d.parquet, row 2, column `n`, branch g = a: `2.5` is not a whole";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn columns_that_are_not_there_are_named_with_the_nearest() {
    let y = ("optional double Y", Values::doubles(&[1.0, 2.0, 3.0]));
    let expected = "\
error[missing-column]: d.parquet has no column `y`, which the model reads as `y`
  help: did you mean `Y`? The columns are `g`, `Y`, `n`
";
    assert!(said_of(&[g(), y, n()]).starts_with(expected));
    let y = || ("optional double y", Values::doubles(&[1.0, 2.0, 3.0]));
    let expected =
        "error[data-header]: d.parquet has two columns named `y`\n  help: rename one of them\n";
    assert_eq!(said_of(&[g(), y(), y(), n()]), expected);
}

#[test]
fn dates_times_lists_and_bytes_are_refused_where_they_are_read() {
    let whole = || Values::I32(vec![Some(1), Some(2), Some(3)]);
    let long = || Values::I64(vec![Some(1), Some(2), Some(3)]);
    let dates = "write it as a number, such as days since a date, or as text where it is a key, a \
        level, or orders rows: `2020-01-31` sorts as it should";
    let lists = "give each of its values a column of its own";
    let others = "write it as numbers or as text";
    let bytes = |n: usize| Values::Fixed(vec![Some(vec![1; n]); 3]);
    for (field, values, what, help) in [
        ("optional int32 y (DATE)", whole(), "dates", dates),
        ("optional int64 y (TIMESTAMP(MICROS, true))", long(), "times", dates),
        ("optional int64 y (TIMESTAMP_MILLIS)", long(), "times", dates),
        ("optional int32 y (TIME_MILLIS)", whole(), "times", dates),
        ("repeated double y", Values::doubles(&[1.0, 2.0, 3.0]), "lists or records", lists),
        (
            "optional fixed_len_byte_array(16) y (UUID)",
            bytes(16),
            "bytes without a meaning",
            others,
        ),
        ("optional fixed_len_byte_array(2) y (FLOAT16)", bytes(2), "numbers of 16 bits", others),
    ] {
        let expected = format!(
            "error[column-type]: column `y` of d.parquet holds {what}, which are not read\n  help: {help}\n"
        );
        assert_eq!(said_of(&[g(), (field, values.clone()), n()]), expected);
        // What no model reads may be anything.
        let bench = Bench::new();
        bench.write("m.hbd", MODEL.replace("vector[N] y;", "vector[N] y from \"x\";"));
        let x = ("required double x", Values::doubles(&[1.0, 2.0, 3.0]));
        write(&bench.path("d.parquet"), PLAIN, &[g(), (field, values), x, n()]);
        bench.run("check m.hbd --data d.parquet").ends_with(0);
    }
}

#[test]
fn a_file_that_is_no_parquet_is_refused_and_a_parquet_that_ends_otherwise_too() {
    let bench = Bench::new();
    bench.write("m.hbd", MODEL);
    let said = |name: &str| bench.run(&format!("check m.hbd --data {name}")).ends_with(1).stderr;
    for bytes in [&b""[..], b"g,y,n\na,1,2\n", b"PAR1", b"PAR1\0\0\0\0PAR1"] {
        bench.write("d.parquet", bytes);
        let said = said("d.parquet");
        assert!(
            said.starts_with("error[data-file]: d.parquet is no whole Parquet file: "),
            "{said}"
        );
        assert!(said.contains("\n  help: write it again"), "{said}");
    }
    fs::create_dir(bench.path("parts.parquet")).expect("a folder");
    assert_eq!(
        said("parts.parquet"),
        "error[data-file]: cannot read parts.parquet: it is a folder\n  help: write its parts to one file\n"
    );
    let said_of_none = said("none.parquet");
    assert!(
        said_of_none.starts_with("error[data-file]: cannot read none.parquet: "),
        "{said_of_none}"
    );
    let y = ("required double y", Values::doubles(&[1.0, 2.0, 3.0]));
    write(&bench.path("d.data"), PLAIN, &[g(), y, n()]);
    assert_eq!(
        said("d.data"),
        "error[data-file]: d.data is Parquet, and its name does not say so\n  \
         help: let it end in `.parquet`; all else is read as CSV\n"
    );
}

#[test]
fn a_file_without_rows_is_refused() {
    let y = ("required double y", Values::F64(vec![]));
    let g = ("required int64 g", Values::I64(vec![]));
    let n = ("required int64 n", Values::I64(vec![]));
    assert_eq!(
        said_of(&[g, y, n]),
        "error[no-rows]: d.parquet has no rows\n  help: give one row per observation\n"
    );
}
