//! A file with one row per branch, empty cells of outcomes, standardised columns.

use expect_test::expect;

use super::*;

fn counties() -> Schema {
    schema(&["county"], vec![per_row("y"), branch("u")])
}

fn with_branches(rows: &str, branches: &str) -> Result<Dataset, DataError> {
    let branches = Dataset::from_csv_bytes("counties.csv", branches.as_bytes().to_vec())?;
    Ok(csv(rows).branches(branches))
}

fn both(rows: &str, branches: &str, schema: &Schema) -> BoundData {
    let bound = with_branches(rows, branches).and_then(|data| data.bind_columns(schema));
    bound.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_file_of_branches_is_offered_for_facts_of_branches() {
    let schema = schema(&["county"], vec![branch("income"), per_row("y")]);
    refused(
        "county,y\na,1\n",
        &schema,
        expect![[r#"
            [missing-column] obs.csv has no column `income`, which the model reads as `income`
              help: the columns are `county`, `y`; facts of branches may stand in a file of their own: `--branches FILE`"#]],
    );
}

#[test]
fn branches_without_rows_count() {
    let bound = both("county,y\n10,1\n2,2\n10,3\n", "county,u\n10,0.5\n9,0.25\n2,1\n", &counties());
    assert_eq!(keys(&bound), ["2", "9", "10"]);
    assert_eq!((bound.rows(0), bound.rows(1), bound.rows(2)), (0..1, 1..1, 1..3));
    assert_eq!((bound.values(0), bound.values(1)), (&[2.0, 1.0, 3.0][..], &[1.0, 0.25, 0.5][..]));
    assert_eq!(bound.branches_source_name(), Some("counties.csv"));
    let none = both("county,y\n", "county,u\n1,2\n", &counties());
    assert_eq!((none.n_branches(), none.n_rows_total(), none.values(1)), (1, 0, &[2.0][..]));
}

#[test]
fn either_file_may_hold_what_is_one_per_branch() {
    let in_rows = both("county,y,u\n2,1,7\n1,2,8\n1,3,8\n", "county\n1\n2\n", &counties());
    let in_branches = both("county,y\n2,1\n1,2\n1,3\n", "county,u\n2,7\n1,8\n", &counties());
    let alone = bind("county,y,u\n2,1,7\n1,2,8\n1,3,8\n", &counties());
    assert_eq!(in_rows.fingerprint(), in_branches.fingerprint());
    assert_eq!(in_rows.fingerprint(), alone.fingerprint());
    let key = schema(&["county"], vec![branch("county"), per_row("y")]);
    let bound = both("county,y\n2,1\n", "county\n1\n2\n", &key);
    assert_eq!(bound.values(0), [1.0, 2.0], "the key may be declared as a datum");
}

#[test]
fn files_of_branches_are_refused_with_their_lines() {
    refusal(
        with_branches("county,y\n1,1\n3,2\n4,2\n3,5\n", "county,u\n1,0.5\n2,1\n"),
        &counties(),
        expect![[r#"
            [unlisted-branch] obs.csv:3: branch county = 3 has rows and is not listed in counties.csv
              also obs.csv:4: branch county = 4 has rows and is not listed in counties.csv
              help: add it to counties.csv, or take its rows out"#]],
    );
    refusal(
        with_branches("county,y\n1,1\n", "county,u\n1,0.5\n2,1\n1,2\n"),
        &counties(),
        expect![[r#"
            [duplicate-key] counties.csv:4: branch county = 1 is listed in line 2 already
              help: the file has one row for each branch: take one of them out"#]],
    );
    refusal(
        with_branches("county,y,u\n1,1,0\n", "county,u\n1,0.5\n"),
        &counties(),
        expect![[r#"
            [column-in-two-files] both obs.csv and counties.csv have the column `u`, which the model reads as `u`
              help: a value per branch has one place: take the column out of one of the files"#]],
    );
    refusal(
        with_branches("county,y\n1,1\n", "county,U\n1,0.5\n"),
        &counties(),
        expect![[r#"
            [missing-column] counties.csv has no column `u`, which the model reads as `u`; neither has obs.csv
              help: did you mean `U`? The columns are `county`, `U`"#]],
    );
    refusal(
        with_branches("county,y,u\n1,1,5\n", "county\n1\n2\n"),
        &counties(),
        expect![[r#"
            [missing-value] counties.csv:3: branch county = 2 has no rows in obs.csv, and so no value of column `u`
              help: `u` is one value per branch: give its column in counties.csv"#]],
    );
    let mut bounded = counties();
    bounded.data[1].lower = Some(Bound::Number(0.0));
    refusal(
        with_branches("county,y\n2,1\n", "county,u\n2,1\n1,-3\n"),
        &bounded,
        expect![[r#"
            [out-of-range] counties.csv:3, branch county = 1: `u` is -3, below its lower bound 0
              help: mend the data, or the declared bound of `u`"#]],
    );
    refusal(
        with_branches("county,y\n1,1\n", "county,u\n1,0.5\n"),
        &schema(&[], vec![branch("y")]),
        expect![[r#"
            [branches-file] a file of branches is given, and the model makes every row its own branch
              help: name the column that tells branches apart: `branch KEY { … }`, or leave it out"#]],
    );
    let mut counted = counties();
    counted.rows.as_mut().expect("there is one").count = Some(1);
    refusal(
        with_branches("county,y\n1,1\n", "county,u\n1,0.5\n2,1\n"),
        &counted,
        expect![[r#"
            [row-count] counties.csv:3: branch county = 2 has 0 rows, and the model says `rows N = 1`
              help: mend the data, or write `rows N;` if branches may have any number of rows"#]],
    );
}

/// `y` with empty cells, bounded by `size` row by row, and `observed(y)`.
fn with_missing() -> Schema {
    let y = Datum {
        may_be_missing: true,
        lower: Some(Bound::Number(0.0)),
        upper: Some(Bound::Datum(2)),
        ..int(per_row("y"))
    };
    let observed = Datum { origin: Origin::Observed(0), ..int(per_row("observed(y)")) };
    schema(&["g"], vec![y, observed, int(per_row("size"))])
}

#[test]
fn empty_cells_keep_their_rows() {
    let bound = bind("g,y,size\n1,NA,3\n1,4,9\n2,,9\n1,1,1\n", &with_missing());
    assert_eq!(bound.values(1), [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(bound.values(0), [3.0, 4.0, 1.0, 4.0], "some value that is there, within bounds");
    assert_eq!(bound.n_missing(0), 2);
    let dropped = csv("g,y,size\n1,NA,3\n1,4,9\n1,1,\n").na_drop().bind_columns(&with_missing());
    assert_eq!(dropped.expect("two rows are left").n_rows_total(), 2);
    refused(
        "g,y,size\n1,NA,3\n1,4,2\n",
        &with_missing(),
        expect![[r#"
            [out-of-range] obs.csv:3, branch g = 1: `y` is 4, above its upper bound `size`, here 2
              help: mend the data, or the declared bound of `y`"#]],
    );
    let all = bind("g,y,size\n1,NA,3\n", &with_missing());
    assert_eq!((all.values(0), all.values(1)), (&[1.0][..], &[0.0][..]));
}

#[test]
fn empty_cells_are_read_as_outcomes_alone() {
    let read = Schema { missing_reads: vec![(0, Span::new(7, 8))], ..with_missing() };
    assert!(csv("g,y,size\n1,1,3\n").bind_columns(&read).is_ok());
    let error =
        csv("g,y,size\n1,1,3\n1,,2\n2,,2\n").bind_columns(&read).expect_err("two are empty");
    assert_eq!(error.span(), Some(Span::new(7, 8)));
    expect![[r#"
        obs.csv:3, branch g = 1: `y` has 2 empty cells, the first of them here, and the model reads its values
          help: an empty cell has no value, so `y` may stand left of `~` alone: there weigh terms of your own with `observed(y)`, or fill in the cells"#]]
    .assert_eq(&error.to_string());
}

#[test]
fn a_value_per_branch_may_be_missing() {
    let y = Datum { may_be_missing: true, ..branch("y") };
    let observed = Datum { origin: Origin::Observed(0), ..branch("observed(y)") };
    let schema = schema(&["g"], vec![y, observed]);
    let bound = bind("g,y\n1,2.5\n2,\n2,\n", &schema);
    assert_eq!((bound.values(0), bound.values(1)), (&[2.5, 2.5][..], &[1.0, 0.0][..]));
    refused(
        "g,y\n1,\n1,2\n",
        &schema,
        expect![[r#"
            [varies-in-branch] obs.csv:2: column `y` varies within branch g = 1: it is empty here and 2 in line 3
              help: `real y` is one value per branch: declare `vector[N] y` for one per row, or take its `mean` or `sum` per branch"#]],
    );
}

#[test]
fn columns_are_standardised() {
    let z = |of: usize, like: Datum| Datum { origin: Origin::Standardized(of), ..like };
    let x = matrix("x", Size::constant(2), &["x*"]);
    let data = vec![
        per_row("y"),
        z(0, per_row("standardize(y)")),
        branch("u"),
        z(2, branch("standardize(u)")),
        x.clone(),
        z(4, Datum { name: "standardize(x)".into(), ..x }),
    ];
    let schema = schema(&["g"], data);
    let bound = bind("g,y,u,x1,x2\n1,1,10,2,0\n1,2,10,4,1\n2,3,20,6,5\n", &schema);
    let near = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        let far = found.iter().zip(expected).any(|(a, b)| (a - b).abs() > 1e-15);
        assert!(!far, "{found:?} {expected:?}");
    };
    // Standard deviations 1, √50, 2 and √7 (of n - 1).
    let root = 7_f64.sqrt();
    near(bound.values(1), &[-1.0, 0.0, 1.0]);
    near(bound.values(3), &[-5.0 / 50_f64.sqrt(), 5.0 / 50_f64.sqrt()]);
    near(bound.values(5), &[-1.0, -2.0 / root, 0.0, -1.0 / root, 1.0, 3.0 / root]);
    refused(
        "g,y,u,x1,x2\n1,1,10,2,0\n1,2,10,4,0\n2,3,20,6,0\n",
        &schema,
        expect![[r#"
            [constant-column] `x2` cannot be standardised: all its values are the same
              help: its standard deviation has to be above 0: use the column as it is, or leave it out"#]],
    );
}

#[test]
fn the_order_of_branches_does_not_matter_in_either_file() {
    let rows: Vec<String> = (0..60).map(|k| format!("{},{k}", k * k % 11)).collect();
    let branches: Vec<String> = (0..13).map(|k| format!("{k},{}", k * k)).collect();
    let text = |head: &str, lines: &[String]| format!("{head}\n{}\n", lines.join("\n"));
    let bound = |rows: &[String], branches: &[String]| {
        both(&text("county,y", rows), &text("county,u", branches), &counties())
    };
    let expected = bound(&rows, &branches);
    assert_eq!(expected.n_branches(), 13);
    let mut sorted = rows.clone();
    sorted.sort_by_key(|row| std::cmp::Reverse(row.split(',').next().map(str::to_string)));
    let mut reversed = branches.clone();
    reversed.reverse();
    for (rows, branches) in [(&sorted, &branches), (&rows, &reversed), (&sorted, &reversed)] {
        assert_eq!(bound(rows, branches).fingerprint(), expected.fingerprint());
    }
}
