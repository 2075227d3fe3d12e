//! Factors and tables: how levels and keys are numbered, and what is said of those unseen.

use expect_test::expect;

use super::*;
use crate::data::{Column, DataErrorKind};
use crate::schema::{Factor, Numbered, Table, levels_size};

fn factor(name: &str, columns: &[&str]) -> Factor {
    let columns = columns.iter().map(|c| c.to_string()).collect();
    Factor { name: name.to_string(), columns, levels: None, span: Span::new(4, 5) }
}

fn with_levels(factor: Factor, levels: &[&str]) -> Factor {
    Factor { levels: Some(levels.iter().map(|l| l.to_string()).collect()), ..factor }
}

/// The number of levels or rows, as the checker declares it.
fn size_of(name: &str, number: Numbered) -> Datum {
    let size = Datum { origin: Origin::Levels(number), ..whole_int(&format!("size({name})")) };
    Datum { dims: Vec::new(), ..size }
}

fn index(datum: Datum, number: Numbered) -> Datum {
    Datum { numbered: Some(number), type_text: "array[N] index(…)".into(), ..int(datum) }
}

/// `factor f from "x"; array[N] index(f) x;`
fn one_factor(factor: Factor) -> Schema {
    let number = Numbered::Factor(0);
    let column = factor.columns[0].clone();
    let data = vec![index(per_row(&column), number), size_of(&factor.name, number)];
    Schema { factors: vec![factor], ..schema(&["g"], data) }
}

/// `table movies by id { real score; } … array[N] index(movies) movie;`
fn movies() -> Schema {
    let number = Numbered::Table(0);
    let score = Datum {
        table: Some(0),
        level: Level::Whole,
        dims: vec![levels_size("movies")],
        origin: Origin::Column("score".into()),
        ..branch("movies.score")
    };
    let data = vec![index(per_row("movie"), number), size_of("movies", number), score];
    let table = Table { name: "movies".into(), key: "id".into(), span: Span::new(4, 5) };
    Schema { tables: vec![table], ..schema(&["g"], data) }
}

fn named(name: &str, text: &str) -> Dataset {
    Dataset::from_csv_bytes(name, text.as_bytes().to_vec()).expect("the header is fine")
}

#[test]
fn levels_are_numbered_in_their_order() {
    let numbering = |cells: &[&str]| {
        let rows: String = cells.iter().map(|cell| format!("1,{cell}\n")).collect();
        let bound = bind(&format!("g,x\n{rows}"), &one_factor(factor("f", &["x"])));
        assert_eq!(bound.whole_int("size(f)"), Some(bound.levels("f").len() as i64));
        (bound.levels("f").join(" "), bound.values(0).to_vec())
    };
    assert_eq!(numbering(&["b", "a", "b", "c"]), ("a b c".into(), vec![2.0, 1.0, 2.0, 3.0]));
    assert_eq!(numbering(&["10", "9", "-1"]), ("-1 9 10".into(), vec![3.0, 2.0, 1.0]));
    assert_eq!(numbering(&["10", "2.5", "0.5"]), ("0.5 2.5 10".into(), vec![3.0, 2.0, 1.0]));
    assert_eq!(numbering(&["10", "9", "x"]), ("10 9 x".into(), vec![1.0, 2.0, 3.0]));
    assert_eq!(numbering(&[" a ", "\"a\"", "a"]), ("a".into(), vec![1.0, 1.0, 1.0]));
}

#[test]
fn the_order_of_rows_does_not_change_numbers() {
    let schema = one_factor(factor("f", &["x"]));
    let mut rows: Vec<String> = (0..300).map(|k| format!("1,v{}", k * k % 41)).collect();
    let level_of = |rows: &[String]| {
        let bound = bind(&format!("g,x\n{}\n", rows.join("\n")), &schema);
        let name = |&number: &f64| bound.levels("f")[number as usize - 1].clone();
        let texts: Vec<String> = bound.values(0).iter().map(name).collect();
        (bound.levels("f").to_vec(), texts)
    };
    let (levels, texts) = level_of(&rows);
    assert!(texts.iter().zip(&rows).all(|(text, row)| row.ends_with(&format!(",{text}"))));
    rows.reverse();
    let (reversed, _) = level_of(&rows);
    assert_eq!(levels, reversed);
}

#[test]
fn written_levels_keep_their_order_and_are_all_there_are() {
    let answers = one_factor(with_levels(factor("f", &["x"]), &["no", "perhaps", "yes"]));
    let bound = bind("g,x\n1,yes\n1,no\n", &answers);
    assert_eq!((bound.values(0), bound.whole_int("size(f)")), (&[3.0, 1.0][..], Some(3)));
    refused(
        "g,x\n1,yes\n2,prehaps\n2,No\n1,prehaps\n",
        &answers,
        expect![[r#"
            [unknown-level] obs.csv:3: `prehaps` is no level of the factor `f`
              also obs.csv:4: `No` is no level of the factor `f`
              also obs.csv:5: `prehaps` is no level of the factor `f`
              help: did you mean `perhaps`? The levels are `no`, `perhaps`, `yes`"#]],
    );
}

#[test]
fn another_column_may_read_the_levels_of_a_factor() {
    let mut schema = one_factor(factor("home", &["home"]));
    schema.data.push(index(per_row("away"), Numbered::Factor(0)));
    let bound = bind("g,home,away\n1,b,a\n1,a,b\n", &schema);
    assert_eq!((bound.values(0), bound.values(2)), (&[2.0, 1.0][..], &[1.0, 2.0][..]));
    refused(
        "g,home,away\n1,b,a\n1,b,c\n",
        &schema,
        expect![[r#"
            [unknown-level] obs.csv:2: `a` is no level of the factor `home`
              also obs.csv:3: `c` is no level of the factor `home`
              help: The levels are `b`"#]],
    );
}

#[test]
fn combinations_are_numbered_column_by_column() {
    let mut schema = one_factor(factor("cell", &["dept", "service"]));
    schema.data[0] = Datum {
        origin: Origin::Combination(vec!["dept".into(), "service".into()]),
        ..schema.data[0].clone()
    };
    let text = "g,dept,service\n1,10,b\n1,9,b\n1,10,a\n1,9,b\n";
    let bound = bind(text, &schema);
    assert_eq!(
        bound.levels("cell"),
        ["dept=9,service=b", "dept=10,service=a", "dept=10,service=b"]
    );
    assert_eq!(bound.values(0), [3.0, 1.0, 2.0, 1.0]);
}

#[test]
fn levels_are_pooled_over_all_files_that_have_the_column() {
    let mut schema = movies();
    schema.factors.push(factor("genre", &["genre"]));
    schema.data.push(size_of("genre", Numbered::Factor(0)));
    schema.data.push(index(per_row("genre"), Numbered::Factor(0)));
    let table = named("m.csv", "id,score,genre\nx,1,drama\ny,2,action\n");
    let branches = named("b.csv", "g,genre\n1,war\n2,\n");
    let rows = csv("g,movie,genre\n1,x,drama\n2,y,comedy\n");
    let bound = rows.table("movies", table).branches(branches).bind_columns(&schema);
    let bound = bound.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(bound.levels("genre"), ["action", "comedy", "drama", "war"]);
    assert_eq!(bound.values(4), [3.0, 2.0]);
}

#[test]
fn empty_cells_have_no_level() {
    refused(
        "g,x\n1,a\n2,\n1,NA\n",
        &one_factor(factor("f", &["x"])),
        expect![[r#"
            [missing-value] obs.csv:3, column `x`, branch g = 2: the cell is empty
              also obs.csv:4, column `x`, branch g = 1: `NA` stands for a missing value
              help: fill it in, drop rows with missing values, `--na drop`, or allow them in an outcome, which then has no term there: `vector[N] y missing;`"#]],
    );
    let namibia = one_factor(with_levels(factor("f", &["x"]), &["NA", "ZA"]));
    assert_eq!(bind("g,x\n1,ZA\n1,NA\n", &namibia).values(0), [2.0, 1.0]);
    let dropped =
        csv("g,x\n1,b\n1,\n1,a\n").na_drop().bind_columns(&one_factor(factor("f", &["x"])));
    assert_eq!(dropped.expect("two rows are left").values(0), [2.0, 1.0]);
}

#[test]
fn a_factor_without_its_column_is_refused() {
    refused(
        "g,y\n1,a\n",
        &Schema { data: Vec::new(), ..one_factor(factor("f", &["x"])) },
        expect![[r#"
            [missing-column] obs.csv has no column `x`, which factor `f` numbers
              help: the columns are `g`, `y`"#]],
    );
    let mut schema = one_factor(factor("items", &["item"]));
    schema.data[0] = index(per_row("items"), Numbered::Factor(0));
    refused(
        "g,item\n1,a\n",
        &schema,
        expect![[r#"
            [missing-column] obs.csv has no column `items`, which the model reads as `items`
              help: to read column `item` write `items from "item";`"#]],
    );
}

#[test]
fn a_table_is_in_the_order_of_its_keys() {
    let rows = || csv("g,movie\n1,10\n1,9\n2,10\n");
    let bound = |table: &str| {
        let bound = rows().table("movies", named("m.csv", table)).bind_columns(&movies());
        bound.unwrap_or_else(|error| panic!("{error}"))
    };
    let first = bound("id,score\n10,0.5\n9,0.25\n11,2\n");
    assert_eq!(first.levels("movies"), ["9", "10", "11"]);
    assert_eq!((first.values(0), first.values(2)), (&[2.0, 1.0, 2.0][..], &[0.25, 0.5, 2.0][..]));
    assert_eq!(first.whole_int("size(movies)"), Some(3));
    let second = bound("score,id\n2,11\n0.25,9\n0.5,10\n");
    assert_eq!(second.fingerprint(), first.fingerprint());
    let other = bound("id,score\n10,0.5\n9,0.25\n12,2\n");
    assert_ne!(other.fingerprint(), first.fingerprint(), "a key is part of the content");
}

#[test]
fn tables_are_refused_with_their_lines() {
    let rows = || csv("g,movie\n1,tt1\n1,tt3\n2,tt2\n");
    let table = |text: &str| Ok(rows().table("movies", named("m.csv", text)));
    refusal(
        table("id,score\ntt1,1\ntt2,2\n"),
        &movies(),
        expect![[r#"
            [unknown-key] obs.csv:3: `tt3` is no `id` of the table `movies` (m.csv)
              help: did you mean `tt1`? Every value has to have its row in the table: add it, or drop these rows"#]],
    );
    refusal(
        table("id,score\ntt1,1\ntt2,2\n tt1 ,3\ntt3,1\n"),
        &movies(),
        expect![[r#"
            [duplicate-key] m.csv:4: id = tt1 is the key of line 2 already
              help: a table has one row for each key: take one of them out"#]],
    );
    let mut bounded = movies();
    bounded.data[2].upper = Some(Bound::Number(5.0));
    refusal(
        table("id,score\ntt1,1\ntt3,7\ntt2,2\n"),
        &bounded,
        expect![[r#"
            [out-of-range] m.csv:3, id = tt3: `movies.score` (column `score`) is 7, above its upper bound 5
              help: mend the data, or the declared bound of `movies.score`"#]],
    );
    refusal(
        table("id,score\ntt1,\ntt2,2\n"),
        &movies(),
        expect![[r#"
            [missing-value] m.csv:2, column `score`: the cell is empty
              help: every cell of a table has a value: fill it in"#]],
    );
    refusal(
        table("id,score\n"),
        &movies(),
        expect![[r#"
            [no-rows] m.csv has no rows
              help: below the line that names the columns, give one line per row"#]],
    );
    refusal(
        Ok(rows()),
        &movies(),
        expect![[r#"
            [table-file] the model reads the table `movies`, and no file is given for it
              help: give it with `--table movies=FILE`: a CSV with one line for each `id`"#]],
    );
    refusal(
        table("id,score\ntt1,1\n").map(|data| data.table("movie", named("x.csv", "a\nb\n"))),
        &movies(),
        expect![[r#"
            [table-file] the model has no table `movie`
              help: did you mean `--table movies=FILE`?"#]],
    );
    refusal(
        Ok(csv("g,y\n1,1\n").table("movies", named("x.csv", "a\nb\n"))),
        &schema(&["g"], vec![per_row("y")]),
        expect![[r#"
            [table-file] the model has no table `movies`
              help: declare one in `data`: `table movies by KEY { … }`, or leave the file out"#]],
    );
}

#[test]
fn bounds_hold_row_by_row_within_a_table() {
    let mut schema = movies();
    let votes = Datum {
        origin: Origin::Column("votes".into()),
        name: "movies.votes".into(),
        lower: Some(Bound::Datum(2)),
        ..schema.data[2].clone()
    };
    schema.data.push(votes);
    let bound = |table: &str| {
        csv("g,movie\n1,a\n").table("movies", named("m.csv", table)).bind_columns(&schema)
    };
    assert!(bound("id,score,votes\nb,5,6\na,1,1\n").is_ok());
    let error = bound("id,score,votes\nb,5,4\na,1,1\n").expect_err("4 is below 5");
    assert_eq!(error.kind(), DataErrorKind::OutOfRange);
    assert!(error.message().starts_with("m.csv:2, id = b: "), "{error}");
}

#[test]
fn text_is_compared() {
    let equals = |value: &str| Datum {
        origin: Origin::Equals { column: "use".into(), value: value.into() },
        ..int(per_row(value))
    };
    let schema = schema(&["g"], vec![equals("Y"), equals("N"), equals("1")]);
    let bound = bind("g,use\n1,Y\n1, N \n1,1\n1,y\n", &schema);
    assert_eq!(bound.values(0), [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(bound.values(1), [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(bound.values(2), [0.0, 0.0, 1.0, 0.0]);
    let error = csv("g,use\n1,Y\n1,\n").bind_columns(&schema).expect_err("neither");
    assert_eq!(error.kind(), DataErrorKind::MissingValue);
    let numbers = Dataset::from_columns(vec![
        ("g".into(), Column::Numbers(vec![1.0, 1.0])),
        ("use".into(), Column::Numbers(vec![1.0, 0.0])),
    ]);
    let only_one = |datum: Datum| self::schema(&["g"], vec![datum]);
    let numbers = numbers.expect("columns");
    let bound = numbers.bind_columns(&only_one(equals("1.0"))).expect("fits");
    assert_eq!(bound.values(0), [1.0, 0.0]);
    let error = numbers.bind_columns(&only_one(equals("Y"))).expect_err("reads 1 and 0");
    assert_eq!(error.kind(), DataErrorKind::UnknownLevel);
}

#[test]
fn equal_numbers_are_one_level() {
    let schema = movies();
    let bound = csv("g,movie\n1,10.0\n1,10\n1,2.5\n")
        .table("movies", named("m.csv", "id,score\n2.50,1\n10,2\n"))
        .bind_columns(&schema)
        .expect("each movie has its row");
    assert_eq!(bound.values(0), [2.0, 2.0, 1.0]);
    assert_eq!(bound.values(2), [1.0, 2.0]);
    let bound = bind("g,x\n1,1\n1,1.0\n1,-0.50\n", &one_factor(factor("f", &["x"])));
    assert_eq!(bound.levels("f"), ["-0.5", "1"]);
}

#[test]
fn columns_and_files_number_alike() {
    let schema = movies();
    let from_file =
        csv("g,movie\n1,10\n2,9\n").table("movies", named("m.csv", "id,score\n10,1\n9,2\n"));
    let numbers = |values: &[f64]| Column::Numbers(values.to_vec());
    let columns = |named: Vec<(&str, Column)>| {
        let named = named.into_iter().map(|(name, column)| (name.to_string(), column));
        Dataset::from_columns(named.collect()).expect("equally long")
    };
    let rows = columns(vec![("g", numbers(&[1.0, 2.0])), ("movie", numbers(&[10.0, 9.0]))]);
    let table = columns(vec![("id", numbers(&[10.0, 9.0])), ("score", numbers(&[1.0, 2.0]))]);
    let from_columns = rows.table("movies", table).bind_columns(&schema).expect("fits");
    let from_file = from_file.bind_columns(&schema).expect("fits");
    assert_eq!(from_columns.fingerprint(), from_file.fingerprint());
}
