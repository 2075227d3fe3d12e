//! What is refused, with the exact messages.

use expect_test::expect;

use super::*;
use crate::data::DataErrorKind;

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
              help: fill it in, drop rows with missing values, `--na drop`, or allow them in an outcome, which then has no term there: `vector[N] y missing;`"#]],
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
        "g,y\n1,\u{1b}[31mred and very long indeed as if it were a whole novel\n",
        &whole,
        expect![[r#"
            [not-a-number] obs.csv:2, column `y`, branch g = 1: `\u{1b}[31mred and very long indeed as if it w…` is not a number
              help: numbers are written like `3`, `-0.5` or `1.2e-3`; words are numbered by a factor, `factor f from "column";` and `array[N] index(f) column;`, or compared: `from "column" == "word"`"#]],
    );
    refused(
        "g,y\n,1\n",
        &whole,
        expect![[r#"
            [missing-value] obs.csv:2, column `g`: the cell is empty
              help: fill it in, drop rows with missing values, `--na drop`, or allow them in an outcome, which then has no term there: `vector[N] y missing;`"#]],
    );
    refused(
        "y\nx\n",
        &schema(&[], vec![branch("y")]),
        expect![[r#"
            [not-a-number] obs.csv:2, column `y`: `x` is not a number
              help: numbers are written like `3`, `-0.5` or `1.2e-3`; words are numbered by a factor, `factor f from "column";` and `array[N] index(f) column;`, or compared: `from "column" == "word"`"#]],
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
            [missing-column] obs.csv has no column `y`, which the model reads as `y`
              also obs.csv has no column `sigma`, which the model reads as `sigma`
              help: did you mean `Y`? The columns are `school`, `Y`, `sigm`"#]],
    );
    refused(
        "school;y;sigma\nA;1;2\n",
        &schools(),
        expect![[r#"
            [missing-column] obs.csv has no column `school`, which is part of the branch key
              also obs.csv has no column `y`, which the model reads as `y`
              also obs.csv has no column `sigma`, which the model reads as `sigma`
              help: its columns seem to be separated by `;`; write commas"#]],
    );
    refused(
        "school,a,b\nA,1,2\n",
        &by(schools(), &["day"]),
        expect![[r#"
            [missing-column] obs.csv has no column `day`, which `rows N` sorts by
              also obs.csv has no column `y`, which the model reads as `y`
              also obs.csv has no column `sigma`, which the model reads as `sigma`
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
              help: `real u` is one value per branch: declare `vector[N] u` for one per row, or take its `mean` or `sum` per branch"#]],
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
