//! What binding promises, on small files.

use expect_test::{Expect, expect};

use super::schema::{Bound, Datum, Origin, Rows, Schema};
use super::{BoundData, Column, DataError, DataErrorKind, Dataset, SetValue};
use crate::source::Span;
use crate::ty::{Element, Level, Size};

/// One value per branch, from the column of its name.
fn branch(name: &str) -> Datum {
    Datum {
        name: name.to_string(),
        level: Level::Branch,
        per_row: false,
        element: Element::Real,
        dims: Vec::new(),
        lower: None,
        upper: None,
        origin: Origin::Column(name.to_string()),
        span: Span::new(0, 1),
        type_text: "real".to_string(),
    }
}

/// One value per row.
fn per_row(name: &str) -> Datum {
    let type_text = "vector[N]".to_string();
    Datum { per_row: true, dims: vec![Size::rows("N")], type_text, ..branch(name) }
}

/// One whole-data `int` that is set.
fn whole_int(name: &str) -> Datum {
    let (level, origin) = (Level::Whole, Origin::Set);
    int(Datum { level, origin, ..branch(name) })
}

fn int(datum: Datum) -> Datum {
    Datum { element: Element::Int, type_text: "int".to_string(), ..datum }
}

/// `matrix[N, size]` from columns.
fn matrix(name: &str, size: Size, columns: &[&str]) -> Datum {
    let origin = Origin::Columns(columns.iter().map(|c| c.to_string()).collect());
    let type_text = format!("matrix[N, {size}]");
    Datum { dims: vec![Size::rows("N"), size], origin, type_text, ..per_row(name) }
}

fn schema(key: &[&str], data: Vec<Datum>) -> Schema {
    let rows = Rows { name: "N".to_string(), count: None, by: Vec::new(), span: Span::new(2, 3) };
    Schema { key: key.iter().map(|k| k.to_string()).collect(), rows: Some(rows), data }
}

fn by(mut schema: Schema, columns: &[&str]) -> Schema {
    if let Some(rows) = &mut schema.rows {
        rows.by = columns.iter().map(|c| c.to_string()).collect();
    }
    schema
}

fn csv(text: impl AsRef<[u8]>) -> Dataset {
    Dataset::from_csv_bytes("obs.csv", text.as_ref().to_vec()).expect("the header is fine")
}

fn bind(text: &str, schema: &Schema) -> BoundData {
    csv(text).bind(schema).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(dataset: Result<Dataset, DataError>, schema: &Schema, expected: Expect) {
    let error = dataset.and_then(|data| data.bind(schema)).expect_err("it is refused");
    expected.assert_eq(&format!("[{}] {error}", error.code()));
}

fn refused(text: &str, schema: &Schema, expected: Expect) {
    refusal(Dataset::from_csv_bytes("obs.csv", text.as_bytes().to_vec()), schema, expected);
}

fn keys(bound: &BoundData) -> Vec<String> {
    (0..bound.n_branches()).map(|branch| bound.key(branch).join("/")).collect()
}

fn lines(bound: &BoundData) -> Vec<u64> {
    (0..bound.n_rows_total()).filter_map(|row| bound.line(row)).collect()
}

fn schools() -> Schema {
    schema(&["school"], vec![branch("y"), branch("sigma")])
}

#[test]
fn one_row_per_branch() {
    let bound = bind("school,y,sigma\nB,8,10\nA,28,15\n", &schools());
    assert_eq!(keys(&bound), ["A", "B"]);
    assert_eq!((bound.values(0), bound.values(1)), (&[28.0, 8.0][..], &[15.0, 10.0][..]));
    assert_eq!((bound.n_branches(), bound.n_rows_total(), bound.max_rows()), (2, 2, 1));
    assert_eq!(lines(&bound), [3, 2]);
    assert_eq!(bound.branch_label(0), "school = A");
    assert_eq!(bound.place(0), "obs.csv:3");
}

#[test]
fn ragged_rows_keep_the_order_of_the_file() {
    let schema = schema(&["g"], vec![per_row("y"), branch("u")]);
    let bound = bind("u,y,g\n5,1,10\n6,2,9\n5,3,10\n6,4,9\n5,5,10\n", &schema);
    assert_eq!(keys(&bound), ["9", "10"], "canonical integers order as numbers");
    assert_eq!((bound.rows(0), bound.rows(1)), (0..2, 2..5));
    assert_eq!(bound.values(0), [2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(bound.values(1), [6.0, 5.0]);
    assert_eq!(lines(&bound), [3, 5, 2, 4, 6]);
}

#[test]
fn one_key_that_is_no_canonical_integer_makes_all_text() {
    for odd in ["01", "+1", "1.0"] {
        let text = format!("g,y\n10,1\n9,2\n{odd},3\n");
        let bound = bind(&text, &schema(&["g"], vec![per_row("y")]));
        assert_eq!(keys(&bound), [odd, "10", "9"].to_vec(), "{odd}");
    }
}

#[test]
fn keys_are_trimmed_and_kept_whole_beyond_64_bits() {
    let text = "g,y\n18446744073709551617,1\n 18446744073709551616,2\n18446744073709551616 ,3\n";
    let bound = bind(text, &schema(&["g"], vec![per_row("y")]));
    assert_eq!(keys(&bound), ["18446744073709551616", "18446744073709551617"]);
    assert_eq!(bound.values(0), [2.0, 3.0, 1.0]);
}

#[test]
fn compound_keys_and_no_key() {
    let text = "a,b,y\nx,10,1\nx,9,2\nw,10,3\nx,10,4\n";
    let bound = bind(text, &schema(&["a", "b"], vec![per_row("y")]));
    assert_eq!(keys(&bound), ["w/10", "x/9", "x/10"]);
    assert_eq!(bound.branch_label(2), "a = x, b = 10");
    assert_eq!(bound.values(0), [3.0, 2.0, 1.0, 4.0]);

    let bound = bind(text, &schema(&[], vec![branch("y")]));
    assert_eq!(bound.key_columns(), ["row"]);
    assert_eq!(keys(&bound), ["1", "2", "3", "4"]);
    assert_eq!(bound.values(0), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn rows_are_sorted_by_declared_columns() {
    let text = "g,day,y\n1,10,1\n1,9,2\n2,7,3\n1,-1,4\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["day"]));
    assert_eq!(bound.values(0), [4.0, 2.0, 1.0, 3.0]);
    assert_eq!(lines(&bound), [5, 3, 2, 4]);

    // One text among them, and all are ordered by bytes.
    let text = "g,day,y\n1,10,1\n1,9,2\n1,x,3\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["day"]));
    assert_eq!(bound.values(0), [1.0, 2.0, 3.0]);

    let text = "g,day,hour,y\n1,2,b,1\n1,2,a,2\n1,1,z,3\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["day", "hour"]));
    assert_eq!(bound.values(0), [3.0, 2.0, 1.0]);

    // As floats these are equal.
    let text = "g,t,y\n1,9007199254740993,1\n1,9007199254740992,2\n";
    let bound = bind(text, &by(schema(&["g"], vec![per_row("y")]), &["t"]));
    assert_eq!(bound.values(0), [2.0, 1.0]);
}

#[test]
fn columns_by_pattern_stand_in_file_order() {
    let text = "g,x_2,z,x_1,y\n1,1,2,3,0\n1,4,5,6,0\n";
    let wide =
        |columns: &[&str], size| schema(&["g"], vec![matrix("x", Size::constant(size), columns)]);
    assert_eq!(bind(text, &wide(&["x_*"], 2)).values(0), [1.0, 3.0, 4.0, 6.0]);
    assert_eq!(bind(text, &wide(&["x_1", "x_*", "*_1"], 2)).values(0), [3.0, 1.0, 6.0, 4.0]);

    let sized = schema(&["g"], vec![matrix("x", Size::datum("K"), &["x_*"]), whole_int("K")]);
    let bound = csv(text).set("K", 2.0).bind(&sized).expect("two columns");
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
        [missing-column] obs.csv has no column that matches `w_*`, which is read for `x`
          help: the columns are `g`, `x_2`, `z`, `x_1`, `y`"#]],
    );
    refused(
        text,
        &wide(&["x-*"], 2),
        expect![[r#"
        [missing-column] obs.csv has no column that matches `x-*`, which is read for `x`
          help: did you mean `x_2`? The columns are `g`, `x_2`, `z`, `x_1`, `y`"#]],
    );
}

#[test]
fn a_column_may_give_several_data() {
    let twice = Datum { origin: Origin::Column("y".to_string()), ..per_row("again") };
    let bound = bind("g,y\n2,1\n1,2\n", &schema(&["g"], vec![per_row("y"), twice, per_row("g")]));
    assert_eq!(bound.values(0), bound.values(1));
    assert_eq!(bound.values(2), [1.0, 2.0], "the key, read as numbers");
}

#[test]
fn odd_files_have_one_reading() {
    let expected = bind("school,y,sigma\nA,28,15\nB,8,10\n", &schools());
    for text in [
        "\u{feff}school,y,sigma\nA,28,15\nB,8,10\n",
        "school,y,sigma\r\nA,28,15\r\nB,8,10\r\n",
        "school,y,sigma\rA,28,15\rB,8,10",
        "school,y,sigma\nA,28,15\n\n\nB,8,10",
        " school , y,sigma\nA, 28,15\nB, 8 ,10\n",
        "\"school\",\"y\",\"sigma\"\n\"A\",\"28\",15\nB,8,10\n",
        "school,note,y,sigma\nA,\"one\ntwo, \"\"three\"\"\",28,15\nB,,8,10\n",
        ",school,,y,sigma\nx,A,,2.8e1,15.0\nx,B,,+8,10.\n",
    ] {
        let bound = bind(text, &schools());
        assert_eq!(bound.fingerprint(), expected.fingerprint(), "{text:?}");
    }
    let latin = b"school,caf\xe9?,y,sigma\n";
    assert!(Dataset::from_csv_bytes("obs.csv", latin.to_vec()).is_err());
    let latin = b"note,school,y,sigma\ncaf\xe9,A,28,15\n\xff,B,8,10\n";
    let bound = csv(latin).bind(&schools()).expect("the column of notes is not read");
    assert_eq!(bound.fingerprint(), expected.fingerprint());
}

#[test]
fn latin_1_keys_stay_distinct() {
    let bound = csv(b"school,y,sigma\ncaf\xe9,1,1\ncaf\xe8,2,1\n").bind(&schools()).expect("keys");
    assert_eq!((bound.n_branches(), keys(&bound)[0].as_str()), (2, "caf\u{fffd}"));
}

#[test]
fn lines_are_right_in_spite_of_quoted_newlines_and_blank_lines() {
    for end in ["\n", "\r\n"] {
        let text = ["g,t,y", "1,\"a", "b\",1", "", "", "1,\"", "", "\",2", "1,c,3"].join(end);
        let bound = bind(&text, &schema(&["g"], vec![per_row("y")]));
        assert_eq!(lines(&bound), [2, 6, 9], "{end:?}");
    }
}

#[test]
fn true_and_false_are_one_and_zero() {
    let bound = bind("g,y\n1,TRUE\n1,false\n1,True\n", &schema(&["g"], vec![int(per_row("y"))]));
    assert_eq!(bound.values(0), [1.0, 0.0, 1.0]);
}

#[test]
fn cells_that_are_not_numbers_are_named() {
    let text =
        "school,y,sigma\nA,28,15\nB,NA,10\nC,,1_000\nD,abc,1e400\nE,inf,\"1,000\"\nF,nan,1\n";
    refused(
        text,
        &schools(),
        expect![[r#"
        [missing-value] obs.csv:3, column `y`, branch school = B: `NA` stands for a missing value
          also obs.csv:4, column `y`, branch school = C: the cell is empty
          also obs.csv:4, column `sigma`, branch school = C: `1_000` is not a number
          also obs.csv:5, column `y`, branch school = D: `abc` is not a number
          also obs.csv:5, column `sigma`, branch school = D: `1e400` is not finite
          and 3 more
          help: fill it in, or drop rows with missing values: `--na drop`"#]],
    );
    let whole = schema(&["g"], vec![int(per_row("y"))]);
    refused(
        "g,y\n1,0.5\n1,9007199254740994\n",
        &whole,
        expect![[r#"
        [not-whole] obs.csv:2, column `y`, branch g = 1: `0.5` is not a whole number, and the model declares an `int`
          also obs.csv:3, column `y`, branch g = 1: `9007199254740994` is beyond 2^53, where whole numbers are no longer exact
          help: declare it `real` or `vector`, or mend the cell"#]],
    );
    refused(
        "g,y\n1,\u{1b}[31mred and very long indeed, as if it were a whole novel\n",
        &whole,
        expect![[r#"
            [data-record] obs.csv:2 has 3 fields, the header has 2
              help: a cell that holds a comma must stand in quotes: `"a, b"`"#]],
    );
    refused(
        "g,y\n,1\n",
        &whole,
        expect![[r#"
        [missing-value] obs.csv:2, column `g`: the cell is empty
          help: fill it in, or drop rows with missing values: `--na drop`"#]],
    );
    refused(
        "y\nx\n",
        &schema(&[], vec![branch("y")]),
        expect![[r#"
        [not-a-number] obs.csv:2, column `y`: `x` is not a number
          help: numbers are written like `3`, `-0.5` or `1.2e-3`, with a point"#]],
    );
}

#[test]
fn files_that_are_not_tables_are_refused() {
    let schools = schools();
    refused(
        "",
        &schools,
        expect![[r#"
        [data-header] obs.csv is empty
          help: its first line must name the columns, separated by commas"#]],
    );
    refused(
        "\n\n",
        &schools,
        expect![[r#"
        [data-header] obs.csv is empty
          help: its first line must name the columns, separated by commas"#]],
    );
    refused(
        "school,y,sigma\n",
        &schools,
        expect![[r#"
        [no-rows] obs.csv has no rows
          help: below the line that names the columns, give one line per row"#]],
    );
    refused(
        "1,2,3\n4,5,6\n",
        &schools,
        expect![[r#"
        [data-header] obs.csv has no header: its first line is numbers (`1`, …)
          help: add a first line that names the columns"#]],
    );
    refused(
        "school,y,sigma,y\nA,1,2,3\n",
        &schools,
        expect![[r#"
        [data-header] obs.csv has two columns named `y`
          help: rename one of them"#]],
    );
    refused(
        "school,y,sigma\nA,1\nB,1,2\nC,1,2,3\n",
        &schools,
        expect![[r#"
        [data-record] obs.csv:2 has 2 fields, the header has 3
          also obs.csv:4 has 4 fields, the header has 3
          help: a cell that holds a comma must stand in quotes: `"a, b"`"#]],
    );
    refused(
        "school,y,sigma\nA,1,2\n\"B,1,2\nC,1,2\n",
        &schools,
        expect![[r#"
        [data-record] obs.csv:3 opens a quote that is never closed
          help: close it; a quote inside a quoted cell is written twice: `""`"#]],
    );
    refusal(
        Dataset::from_csv_bytes("obs.csv", b"school,caf\xe9\n".to_vec()),
        &schools,
        expect![[r#"
            [data-header] the name of column 2 of obs.csv, `caf�`, is not UTF-8
              help: save the file as UTF-8"#]],
    );
    let missing = Dataset::read_csv("no/such/file.csv").expect_err("there is none");
    assert_eq!(missing.kind(), DataErrorKind::File);
    assert!(missing.to_string().starts_with("cannot read no/such/file.csv: "));
    assert_eq!(Dataset::read_csv(".").expect_err("a folder").kind(), DataErrorKind::File);
}

#[test]
fn missing_columns_are_named_with_the_nearest() {
    refused(
        "school,Y,sigm\nA,1,2\n",
        &schools(),
        expect![[r#"
        [missing-column] obs.csv has no column `y`, which is read for `y`
          also obs.csv has no column `sigma`, which is read for `sigma`
          help: did you mean `Y`? The columns are `school`, `Y`, `sigm`"#]],
    );
    refused(
        "school;y;sigma\nA;1;2\n",
        &schools(),
        expect![[r#"
        [missing-column] obs.csv has no column `school`, which is part of the branch key
          also obs.csv has no column `y`, which is read for `y`
          also obs.csv has no column `sigma`, which is read for `sigma`
          help: its columns seem to be separated by `;`; write commas"#]],
    );
    refused(
        "school,a,b\nA,1,2\n",
        &by(schools(), &["day"]),
        expect![[r#"
        [missing-column] obs.csv has no column `day`, which is what `rows N` sorts by
          also obs.csv has no column `y`, which is read for `y`
          also obs.csv has no column `sigma`, which is read for `sigma`
          help: the columns are `school`, `a`, `b`"#]],
    );
}

#[test]
fn values_of_a_branch_must_agree() {
    let schema = schema(&["county"], vec![branch("u"), per_row("y")]);
    refused(
        "county,y,u\n1,1,0.5\n2,1,7\n1,2,0.5\n1,3,0.75\n2,4,8\n",
        &schema,
        expect![[r#"
        [varies-in-branch] obs.csv:2: column `u` varies within branch county = 1: it is 0.5 here and 0.75 in line 5
          also obs.csv:3: column `u` varies within branch county = 2: it is 7 here and 8 in line 6
          help: `real` `u` is one value per branch: declare `vector[N] u` for one per row, or take its `mean` or `sum` per branch"#]],
    );
}

#[test]
fn counts_of_rows_are_checked() {
    let mut schema = schema(&["g"], vec![per_row("y")]);
    schema.rows.as_mut().expect("there is one").count = Some(2);
    assert_eq!(bind("g,y\n1,1\n2,1\n1,1\n2,1\n", &schema).n_branches(), 2);
    refused(
        "g,y\n1,1\n2,1\n1,1\n3,1\n3,1\n3,1\n",
        &schema,
        expect![[r#"
        [row-count] obs.csv:3: branch g = 2 has 1 row, and the model says `rows N = 2`
          also obs.csv:5: branch g = 3 has 3 rows, and the model says `rows N = 2`
          help: mend the data, or write `rows N;` if branches may have any number of rows"#]],
    );
}

#[test]
fn ties_are_refused() {
    let schema = by(schema(&["g"], vec![per_row("y")]), &["day"]);
    refused(
        "g,day,y\n1,2,1\n2,2,1\n1,1,1\n1,2.0,1\n",
        &schema,
        expect![[r#"
        [tied-rows] obs.csv:2 and line 5 have the same `day` in branch g = 1, so their order is open
          help: add a column that tells them apart, as in `rows N by (day, hour)`"#]],
    );
}

#[test]
fn bounds_are_checked_row_by_row() {
    let mut y = int(per_row("y"));
    y.lower = Some(Bound::Number(0.0));
    y.upper = Some(Bound::Datum(1));
    let mut sigma = branch("s");
    sigma.lower = Some(Bound::Number(0.0));
    let data = vec![y, int(per_row("cases")), sigma];
    let within = schema(&["g"], data.clone());
    bind("g,y,cases,s\n1,0,0,1\n1,3,4,1\n", &within);
    refused(
        "g,y,cases,s\n2,3,2,1\n1,4,4,1\n1,-1,4,1\n",
        &within,
        expect![[r#"
        [out-of-range] obs.csv:4, branch g = 1: `y` is -1, below its lower bound 0
          help: mend the data, or the declared bound of `y`"#]],
    );
    refused(
        "g,y,cases,s\n2,3,2,1\n1,4,4,1\n2,9,1,1\n",
        &within,
        expect![[r#"
        [out-of-range] obs.csv:2, branch g = 2: `y` is 3, above its upper bound `cases`, here 2
          also obs.csv:4, branch g = 2: `y` is 9, above its upper bound `cases`, here 1
          help: mend the data, or the declared bound of `y`"#]],
    );
    refused(
        "g,y,cases,s\n2,1,2,-0.5\n",
        &within,
        expect![[r#"
        [out-of-range] obs.csv:2, branch g = 2: `s` is -0.5, below its lower bound 0
          help: mend the data, or the declared bound of `s`"#]],
    );

    // The same bound once per branch, and once for all.
    let mut by_branch = data.clone();
    by_branch[1] = int(branch("cases"));
    refused(
        "g,y,cases,s\n1,1,4,1\n2,1,1,1\n2,3,1,1\n",
        &schema(&["g"], by_branch),
        expect![[r#"
            [out-of-range] obs.csv:4, branch g = 2: `y` is 3, above its upper bound `cases`, here 1
              help: mend the data, or the declared bound of `y`"#]],
    );
    let mut by_all = data;
    by_all[1] = whole_int("cases");
    refusal(
        Ok(csv("g,y,s\n1,1,1\n1,3,1\n").set("cases", 2.0)),
        &schema(&["g"], by_all),
        expect![[r#"
            [out-of-range] obs.csv:3, branch g = 1: `y` is 3, above its upper bound `cases`, here 2
              help: mend the data, or the declared bound of `y`"#]],
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
    let bound = data().set("T", 2.0).set("w", value("[1, 0.5]")).bind(&schema).expect("fits");
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
          help: declare it `real` or `vector`, or mend the cell"#]],
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
    let bound = csv(text).na_drop().bind(&schema).expect("rows are left");
    assert_eq!((bound.n_dropped(), bound.values(0)), (4, &[1.0, 5.0][..]));
    assert_eq!((lines(&bound), keys(&bound)), (vec![2, 7], vec!["1".to_string()]));
    refusal(
        Ok(csv("g,y\n1,NA\n").na_drop()),
        &schema,
        expect![[r#"
        [no-rows] obs.csv has no rows left: all 1 have a missing value
          help: fill in the column that is empty, or take it out of the model"#]],
    );
    refusal(
        Ok(csv("g,y\n1,NA\n1,x\n").na_drop()),
        &schema,
        expect![[r#"
        [not-a-number] obs.csv:3, column `y`, branch g = 1: `x` is not a number
          help: numbers are written like `3`, `-0.5` or `1.2e-3`, with a point"#]],
    );
    let each = super::tests::schema(&[], vec![branch("y")]);
    let bound = csv(text).na_drop().bind(&each).expect("rows are left");
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
        let bound = columns(y).expect("equally long").bind(&schema).expect("fits");
        assert_eq!(bound.fingerprint(), from_file.fingerprint());
        assert_eq!((bound.line(0), bound.source_name()), (None, "the data"));
    }
    refusal(
        columns(numbers(&[1.0, f64::NAN, 0.5])),
        &schema,
        expect![[r#"
        [missing-value] the data, row 2, column `y`, branch g = 9: `NaN` stands for a missing value
          also the data, row 3, column `y`, branch g = 10: `0.5` is not a whole number, and the model declares an `int`
          help: fill it in, or drop rows with missing values: `--na drop`"#]],
    );
    refusal(
        columns(numbers(&[1.0])),
        &schema,
        expect![[r#"
        [column-length] column `y` has 1 rows, column `g` has 3
          help: columns hold one value per row and are equally long"#]],
    );
}

/// Rows of a long file, with branches that are far from each other.
fn long_rows() -> Vec<String> {
    (0..200).map(|k| format!("{},{},{},{k}", k * k % 23, k % 7 * 3, k * k % 23 * 2)).collect()
}

#[test]
fn the_order_of_branches_does_not_matter() {
    let schema = schema(&["g"], vec![per_row("y"), branch("u"), per_row("k")]);
    let rows = long_rows();
    let text = |rows: &[String]| format!("g,y,u,k\n{}\n", rows.join("\n"));
    let expected = bind(&text(&rows), &schema);
    let group = |row: &String| row.split(',').next().map(str::to_string);
    let mut shuffled = rows.clone();
    // A stable sort by a scrambled key permutes branches and keeps each one's rows in order.
    shuffled.sort_by_key(|row| group(row).map(|g| g.bytes().rev().collect::<Vec<u8>>()));
    let mut descending = rows.clone();
    descending.sort_by_key(|row| std::cmp::Reverse(group(row)));
    for rows in [shuffled, descending] {
        let bound = bind(&text(&rows), &schema);
        assert_eq!(bound.fingerprint(), expected.fingerprint());
        assert_eq!(keys(&bound), keys(&expected));
        assert_eq!(bound.values, expected.values);
        assert_eq!(bound.hold_out(0.3, 7, false), expected.hold_out(0.3, 7, false));
    }
}

#[test]
fn grouping_agrees_with_a_map() {
    let schema = schema(&["g"], vec![per_row("y"), branch("u"), per_row("k")]);
    let rows = long_rows();
    let bound = bind(&format!("g,y,u,k\n{}\n", rows.join("\n")), &schema);
    let mut by_key = std::collections::BTreeMap::<i64, Vec<[f64; 3]>>::new();
    for row in &rows {
        let cells: Vec<f64> = row.split(',').map(|cell| cell.parse().expect("digits")).collect();
        by_key.entry(cells[0] as i64).or_default().push([cells[1], cells[2], cells[3]]);
    }
    assert_eq!(bound.n_branches(), by_key.len());
    for (branch, (key, rows)) in by_key.iter().enumerate() {
        assert_eq!(bound.key(branch), [key.to_string()]);
        assert_eq!(bound.values(1)[branch], rows[0][1]);
        let column = |c: usize| rows.iter().map(|row| row[c]).collect::<Vec<f64>>();
        assert_eq!(bound.values(0)[bound.rows(branch)], column(0));
        assert_eq!(bound.values(2)[bound.rows(branch)], column(2));
    }
}

#[test]
fn the_fingerprint_sees_every_part_of_the_content() {
    let schema = schema(&["g"], vec![per_row("y"), per_row("z")]);
    let print = |text| bind(text, &schema).fingerprint();
    let base = print("g,y,z\n1,1,2\n2,3,4\n");
    for other in [
        "g,y,z\n1,1,2\n2,3,5\n",
        "g,y,z\n1,2,1\n2,3,4\n",
        "g,y,z\n1,1,2\n3,3,4\n",
        "g,y,z\n1,1,2\n1,3,4\n",
        "g,y,z\n1,3,2\n2,1,4\n",
        "g,y,z\n1,1,2\n",
    ] {
        assert_ne!(print(other), base, "{other}");
    }
    assert_eq!(print("z,g,y\n2,1,1.0\n4,2,3e0\n"), base);
}

#[test]
fn the_summary_gives_ranges() {
    let bound = bind("g,y\n1,3\n2,-1\n", &schema(&["g"], vec![per_row("y"), whole_derived("m")]));
    let summary = bound.summary();
    assert_eq!((summary[0].range, summary[0].n_values), (Some((-1.0, 3.0)), 2));
    assert_eq!((summary[0].columns.as_slice(), summary[1].range), (&["y".to_string()][..], None));
}

fn whole_derived(name: &str) -> Datum {
    Datum { level: Level::Whole, origin: Origin::Derived, ..branch(name) }
}

#[test]
fn a_share_of_each_branch_is_held_out() {
    let rows: String = (0..100).map(|k| format!("{},{k}\n", k % 3)).collect();
    let text = format!("g,y\n{rows}9,0\n");
    let bound = bind(&text, &schema(&["g"], vec![per_row("y")]));
    for by_order in [false, true] {
        let mask = bound.hold_out(0.25, 1, by_order).expect("enough rows");
        for branch in 0..bound.n_branches() {
            let rows = bound.rows(branch);
            let n_out = mask[rows.clone()].iter().filter(|kept| **kept == 0.0).count();
            assert_eq!(n_out, rows.len() / 4);
            if by_order {
                assert!(mask[rows].is_sorted_by(|a, b| a >= b), "the last rows are held out");
            }
        }
    }
    let mask = |seed| bound.hold_out(0.25, seed, false);
    assert_eq!(mask(1), mask(1));
    assert_ne!(mask(1), mask(2));
    for fraction in [0.0, 1.0, -0.5, f64::NAN, 0.01] {
        let error = bound.hold_out(fraction, 1, false).expect_err("it is refused");
        assert_eq!(error.kind(), DataErrorKind::HoldOut, "{fraction}");
    }
    let single = bind("g,y\n1,1\n2,2\n", &schema(&["g"], vec![per_row("y")]));
    assert!(single.hold_out(0.5, 1, false).is_err());
}

#[test]
fn random_hold_out_favours_no_row() {
    let rows: String = (0..40_000).map(|k| format!("{},{k}\n", k / 4)).collect();
    let bound = bind(&format!("g,y\n{rows}"), &schema(&["g"], vec![per_row("y")]));
    let mask = bound.hold_out(0.25, 3, false).expect("enough rows");
    for place in 0..4 {
        let n_out = mask.iter().skip(place).step_by(4).filter(|kept| **kept == 0.0).count();
        // 10 000 draws with probability 1/4: six standard deviations are 260.
        assert!(n_out.abs_diff(2500) < 260, "place {place}: {n_out}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed =
        b"g,day,y,x1,x2\n1,1,2,\"a\n\"\"b\",0\r\n2,x,NA,0,1e5\n1,3,-4,TRUE,9\n\n2,4,0.5,1,\"2\"\n";
    let mut y = per_row("y");
    y.lower = Some(Bound::Number(-10.0));
    y.upper = Some(Bound::Datum(1));
    let x = matrix("x", Size::constant(2), &["x*"]);
    let plain = schema(&["g"], vec![y.clone(), int(per_row("x2"))]);
    let sorted = by(schema(&["g", "day"], vec![y, branch("x2"), x]), &["day"]);
    let bytes = b"\0\n\r\",;0129.eE+-_NAna \xff\xef\xbb\xbf";
    let mut state = 12345_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..20_000 {
        let mut mutant = seed.to_vec();
        for _ in 0..random(6) + 1 {
            let at = random(mutant.len().max(1)).min(mutant.len());
            match random(4) {
                0 => mutant.insert(at, bytes[random(bytes.len())]),
                1 if at < mutant.len() => mutant[at] = bytes[random(bytes.len())],
                2 => mutant.truncate(at),
                _ if at < mutant.len() => drop(mutant.remove(at)),
                _ => {}
            }
        }
        let Ok(data) = Dataset::from_csv_bytes("m.csv", mutant) else { continue };
        for schema in [&plain, &sorted] {
            for data in [data.clone(), data.clone().na_drop()] {
                match data.bind(schema) {
                    Ok(bound) => {
                        drop((bound.fingerprint(), bound.summary(), bound.hold_out(0.5, 1, false)))
                    }
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
}
