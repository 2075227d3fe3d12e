//! Settings, patterns, derived data, missing values, columns given directly.

use expect_test::expect;

use super::*;
use crate::data::{Column, DataErrorKind, SetValue};

#[test]
fn columns_by_pattern_stand_in_file_order() {
    let text = "g,x_2,z,x_1,y\n1,1,2,3,0\n1,4,5,6,0\n";
    let wide =
        |columns: &[&str], size| schema(&["g"], vec![matrix("x", Size::constant(size), columns)]);
    assert_eq!(bind(text, &wide(&["x_*"], 2)).values(0), [1.0, 3.0, 4.0, 6.0]);
    assert_eq!(bind(text, &wide(&["x_1", "x_*", "*_1"], 2)).values(0), [3.0, 1.0, 6.0, 4.0]);

    let sized = schema(&["g"], vec![matrix("x", Size::datum("K"), &["x_*"]), whole_int("K")]);
    let bound = csv(text).set("K", 2.0).bind_columns(&sized).expect("two columns");
    assert_eq!(
        (bound.columns(0), bound.whole_int("K")),
        (&["x_2".into(), "x_1".into()][..], Some(2))
    );
    refusal(
        Ok(csv(text).set("K", 3.0)),
        &sized,
        expect![[r#"
        [column-count] `x` is declared `matrix[N, K]`, with room for 3 columns, and its columns are 2: `x_2`, `x_1`
          help: change the declared size, or name the columns: `cols("a", "b")`"#]],
    );
    refused(
        text,
        &wide(&["w_*"], 2),
        expect![[r#"
            [missing-column] obs.csv has no column that matches `w_*`, which the model reads as `x`
              help: the columns are `g`, `x_2`, `z`, `x_1`, `y`"#]],
    );
    refused(
        text,
        &wide(&["x-*"], 2),
        expect![[r#"
            [missing-column] obs.csv has no column that matches `x-*`, which the model reads as `x`
              help: did you mean `x_2`? The columns are `g`, `x_2`, `z`, `x_1`, `y`"#]],
    );
}

#[test]
fn whole_data_are_set_by_name() {
    let mut weights = whole_int("w");
    weights.element = Element::Real;
    weights.dims = vec![Size::datum("T")];
    weights.type_text = "vector[T]".to_string();
    let schema = schema(&["g"], vec![weights, whole_int("T"), per_row("y")]);
    let data = || csv("g,y\n1,2\n");
    let value = |text| SetValue::parse(text).expect("JSON");
    let bound =
        data().set("T", 2.0).set("w", value("[1, 0.5]")).bind_columns(&schema).expect("fits");
    assert_eq!((bound.values(0), bound.whole_int("T")), (&[1.0, 0.5][..], Some(2)));
    let n_minus_one = Size::datum("T").checked_sub(&Size::constant(3)).expect("small");
    assert_eq!(
        bound.size(&Size::rows("N").checked_mul(&Size::datum("T")).expect("small"), 5),
        Ok(10)
    );
    assert_eq!(bound.size(&n_minus_one, 5).expect_err("negative").kind(), DataErrorKind::Size);
    assert_eq!(bound.size(&Size::datum("y"), 5).expect_err("unknown").kind(), DataErrorKind::Size);

    let given = |t, w| Ok(data().set("T", value(t)).set("w", value(w)));
    refusal(
        given("2", "[1, 2, 3]"),
        &schema,
        expect![[r#"
        [data-shape] `--set w` gives an array of shape [3]; `vector[T]` needs shape [2]
          help: arrays are nested as in JSON, a matrix is a list of rows"#]],
    );
    refusal(
        given("2.5", "[1, 2]"),
        &schema,
        expect![[r#"
            [not-whole] `--set T`: `2.5` is not a whole number, and the model declares an `int`
              help: give another value with `--set T=VALUE`"#]],
    );
    refusal(
        given("-1", "[1, 2]"),
        &schema,
        expect![[r#"
        [data-size] the size `T` is negative (-1)
          help: check the whole data it is made of"#]],
    );
    refusal(
        Ok(data().set("T", 2.0)),
        &schema,
        expect![[r#"
        [setting] `w` has no value
          help: it is one for the whole data set: give it with `--set w=VALUE`"#]],
    );
    refusal(
        given("2", "[1, 2]").map(|d| d.set("y", 1.0)),
        &schema,
        expect![[r#"
        [setting] `y` cannot be set: it is read from a column
          help: leave out `--set y`, or declare it outside `branch`"#]],
    );
    refusal(
        given("2", "[1, 2]").map(|d| d.set("N", 1.0)),
        &schema,
        expect![[r#"
        [setting] `N` cannot be set: it counts the rows of a branch
          help: leave out `--set N`"#]],
    );
    refusal(
        given("2", "[1, 2]").map(|d| d.set("t", 1.0)),
        &schema,
        expect![[r#"
        [setting] the model has no data named `t`
          help: did you mean `T`?"#]],
    );
}

#[test]
fn derived_data_arrive_later_and_are_checked_then() {
    let mut t = whole_int("T");
    t.origin = Origin::Derived;
    let mut y = per_row("y");
    y.upper = Some(Bound::Datum(0));
    let mut centred = per_row("c");
    centred.origin = Origin::Derived;
    let schema = schema(&["g"], vec![t, y, centred, matrix("x", Size::datum("T"), &["x*"])]);
    let fresh = || bind("g,y,x1,x2\n1,2,0,0\n2,1,0,0\n", &schema);
    let mut bound = fresh();
    assert_eq!((bound.values(0), bound.whole_int("T")), (&[][..], None));
    bound.set_derived(0, vec![2.0]).expect("fits");
    bound.set_derived(2, vec![0.5, -0.5]).expect("fits");
    assert_eq!((bound.whole_int("T"), bound.values(2)), (Some(2), &[0.5, -0.5][..]));
    let error = fresh().set_derived(0, vec![3.0]).expect_err("three columns");
    expect![[r#"
        `x` is declared `matrix[N, T]`, with room for 3 columns, and its columns are 2: `x1`, `x2`
          help: change the declared size, or name the columns: `cols("a", "b")`"#]]
    .assert_eq(&error.to_string());
    let error = fresh().set_derived(0, vec![0.5]).expect_err("not whole");
    expect![[r#"
        whole data: computed `T` is 0.5, not a whole number
          help: look at the data it is computed from: a logarithm of 0, a division by 0?"#]]
    .assert_eq(&error.to_string());
    let mut bound = fresh();
    bound.schema.data.pop();
    let error = bound.set_derived(0, vec![1.0]).expect_err("y is above");
    expect![[r#"
        obs.csv:2, branch g = 1: `y` is 2, above its upper bound `T`, here 1
          help: mend the data, or the declared bound of `y`"#]]
    .assert_eq(&error.to_string());
    let error = bound.set_derived(2, vec![1.0, f64::NAN]).expect_err("not a number");
    expect![[r#"
        obs.csv:3, branch g = 2: computed `c` is NaN, not a number
          help: look at the data it is computed from: a logarithm of 0, a division by 0?"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn rows_with_missing_values_are_dropped_on_demand() {
    let text = "g,y,z\n1,1,NA\n1,NA,1\n2,,1\n,4,1\n3,nan,1\n1,5,1\n";
    let schema = schema(&["g"], vec![per_row("y")]);
    let bound = csv(text).na_drop().bind_columns(&schema).expect("rows are left");
    assert_eq!((bound.n_dropped(), bound.values(0)), (4, &[1.0, 5.0][..]));
    assert_eq!((lines(&bound), keys(&bound)), (vec![2, 7], vec!["1".to_string()]));
    refusal(
        Ok(csv("g,y\n1,NA\n").na_drop()),
        &schema,
        expect![[r#"
            [no-rows] obs.csv has no rows left: 1 were dropped for missing values
              help: fill in the column that is empty, or take it out of the model"#]],
    );
    refusal(
        Ok(csv("g,y\n1,NA\n1,x\n").na_drop()),
        &schema,
        expect![[r#"
            [not-a-number] obs.csv:3, column `y`, branch g = 1: `x` is not a number
              help: numbers are written like `3`, `-0.5` or `1.2e-3`; words are numbered by a factor, `factor f from "column";` and `array[N] index(f) column;`, or compared: `from "column" == "word"`"#]],
    );
    let each = super::schema(&[], vec![branch("y")]);
    let bound = csv(text).na_drop().bind_columns(&each).expect("rows are left");
    assert_eq!(keys(&bound), ["1", "4", "6"], "a row keeps its number in the file");
}

#[test]
fn columns_given_directly_bind_as_a_file_does() {
    let schema = schema(&["g"], vec![int(per_row("y")), branch("u")]);
    let from_file = bind("g,y,u\n10,1,0.5\n9,0,1.5\n10,1,0.5\n", &schema);
    let numbers = |values: &[f64]| Column::Numbers(values.to_vec());
    let columns = |y: Column| {
        let g = ("g".to_string(), numbers(&[10.0, 9.0, 10.0]));
        let u = ("u".to_string(), numbers(&[0.5, 1.5, 0.5]));
        Dataset::from_columns(vec![g, ("y".to_string(), y), u])
    };
    let texts = Column::Texts(["TRUE", "0", "1"].map(String::from).to_vec());
    for y in [numbers(&[1.0, 0.0, 1.0]), texts] {
        let bound = columns(y).expect("equally long").bind_columns(&schema).expect("fits");
        assert_eq!(bound.fingerprint(), from_file.fingerprint());
        assert_eq!((bound.line(0), bound.source_name()), (None, "the data"));
    }
    refusal(
        columns(numbers(&[1.0, f64::NAN, 0.5])),
        &schema,
        expect![[r#"
            [missing-value] the data, row 2, column `y`, branch g = 9: `NaN` stands for a missing value
              also the data, row 3, column `y`, branch g = 10: `0.5` is not a whole number, and the model declares an `int`
              help: fill it in, drop rows with missing values, `--na drop`, or allow them in an outcome, which then has no term there: `vector[N] y missing;`"#]],
    );
    refusal(
        columns(numbers(&[1.0])),
        &schema,
        expect![[r#"
        [column-length] column `y` has 1 rows, column `g` has 3
          help: columns hold one value per row and are equally long"#]],
    );
}

#[test]
fn the_summary_gives_ranges() {
    let bound = bind("g,y\n1,3\n2,-1\n", &schema(&["g"], vec![per_row("y"), whole_derived("m")]));
    let summary = bound.summary();
    assert_eq!((summary[0].range, summary[0].n_values), (Some((-1.0, 3.0)), 2));
    assert_eq!((summary[0].columns.as_slice(), summary[1].range), (&["y".to_string()][..], None));
}
