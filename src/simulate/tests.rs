//! What is drawn and what is given, and the law of what is drawn.

use super::{SimulateConfig, SimulateError, Simulated, simulate};
use crate::data::Dataset;
use crate::model::{CompiledModel, Point, compile};
use crate::source::Source;

fn model(text: &str) -> CompiledModel {
    let compiled = compile(&Source::new("model.hbd", text));
    compiled.unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn csv(name: &str, text: &str) -> Dataset {
    Dataset::from_csv_bytes(name, text.into()).expect("a header")
}

fn draw(text: &str, data: &str, seed: u64) -> Simulated {
    let config = SimulateConfig { seed, point: None };
    simulate(&model(text), csv("rows.csv", data), &config).expect("it can be drawn")
}

fn refusal(text: &str, data: &str) -> String {
    match simulate(&model(text), csv("rows.csv", data), &SimulateConfig::default()) {
        Err(SimulateError::Statement { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

fn rows(simulated: &Simulated) -> String {
    text(simulated.rows_csv().expect("the rows are written"))
}

/// The header, and the cells of each row.
fn table(csv: &str) -> (Vec<&str>, Vec<Vec<&str>>) {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    (lines.next().expect("a header"), lines.collect())
}

fn column<'a>(csv: &'a str, name: &str) -> Vec<&'a str> {
    let (header, rows) = table(csv);
    let at = header.iter().position(|column| *column == name).expect("the column is there");
    rows.iter().map(|row| row[at]).collect()
}

const SCHOOLS: &str = "data { branch school { real y; real<lower=0> sigma; } }
global { real mu ~ normal(3, 2); real<lower=0> tau ~ exponential(0.5); }
local { real theta ~ normal(mu, tau); y ~ normal(theta, sigma); }";

/// Under 4 000 seeds: mu is normal(3, 2), tau exponential of mean 2, and given these theta and y
/// are standard normal once shifted and scaled. Each of six averages of independent values lies
/// within 4.5 of its standard errors of what it should be; a right program fails by chance one
/// seed list in 25 000.
#[test]
fn draws_have_the_law_of_the_prior() {
    let model = model(SCHOOLS);
    let n = 4000;
    // Sums of a quantity's deviation from its mean, in units of its standard deviation.
    let mut sums = [0.0; 6];
    for seed in 0..n {
        let config = SimulateConfig { seed, point: None };
        let data = csv("rows.csv", "school,sigma\nA,0.5\n");
        let drawn = simulate(&model, data, &config).expect("it can be drawn");
        let [mu, tau] = drawn.point.globals[..] else { panic!("two globals") };
        let [theta] = drawn.point.locals[0][..] else { panic!("one local") };
        let y = drawn.data.values(drawn.data.schema_position("y").expect("a datum"))[0];
        let (a, b, c) = ((mu - 3.0) / 2.0, (theta - mu) / tau, (y - theta) / 0.5);
        // A squared standard normal has variance 2.
        let square = |x: f64| (x * x - 1.0) / f64::sqrt(2.0);
        let terms = [a, square(a), (tau - 2.0) / 2.0, square(b), c, square(c)];
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    for (k, sum) in sums.iter().enumerate() {
        let z = sum / f64::sqrt(n as f64);
        assert!(z.abs() < 4.5, "quantity {k} is off by {z} standard errors");
    }
}

#[test]
fn a_seed_gives_the_same_draws_and_another_others() {
    let data = "school,y,sigma\nA,1,2\nB,1,2\n";
    let [a, b, c] = [1, 1, 2].map(|seed| rows(&draw(SCHOOLS, data, seed)));
    assert_eq!(a, b);
    assert_ne!(a, c);
}

/// Draws of a branch do not depend on the other branches.
#[test]
fn branches_are_drawn_apart() {
    let few = rows(&draw(SCHOOLS, "school,sigma\nA,1\nB,1\n", 4));
    let many = rows(&draw(SCHOOLS, "school,sigma\nA,1\nB,1\nC,1\n", 4));
    assert_eq!(column(&few, "y"), column(&many, "y")[..2]);
}

/// A column of a table that is an outcome beside the globals: it has another length than anything
/// of branches. Under 2 000 seeds its three values less their mean m are standard normal; each of
/// two averages lies within 4.5 of its standard errors of what it should be.
#[test]
fn columns_of_tables_are_drawn() {
    let model = model(
        "data { table items by item { real w; } branch p { rows N; vector[N] y; } }
        global { real m ~ normal(2, 3); items.w ~ normal(m, 1); }
        local { real a ~ normal(m, 1); y ~ normal(a, 1); }",
    );
    let (n, mut sums) = (2000, [0.0; 2]);
    for seed in 0..n {
        let items = csv("items.csv", "item,w\ni,0\nj,0\nk,0\n");
        let data = csv("rows.csv", "p,y\na,0\na,0\nb,0\n").table("items", items);
        let drawn = simulate(&model, data, &SimulateConfig { seed, point: None });
        let drawn = drawn.expect("it can be drawn");
        let position = drawn.data.schema_position("items.w").expect("a datum");
        let values = drawn.data.values(position);
        assert_eq!(values.len(), 3);
        for w in values {
            let deviation = w - drawn.point.globals[0];
            sums[0] += deviation;
            sums[1] += (deviation * deviation - 1.0) / f64::sqrt(2.0);
        }
    }
    for sum in sums {
        let z = sum / f64::sqrt(3.0 * n as f64);
        assert!(z.abs() < 4.5, "off by {z} standard errors");
    }
}

/// All that the model does not draw is as it was: order, text of numbers, columns not read.
#[test]
fn other_cells_keep_their_text() {
    let data = "note,school,sigma,y\n\"a, b\",B,1.50,7\n,A,2e0,8\n";
    let drawn = rows(&draw(SCHOOLS, data, 3));
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[0], "note,school,sigma,y");
    assert!(lines[1].starts_with("\"a, b\",B,1.50,"), "{drawn}");
    assert!(lines[2].starts_with(",A,2e0,"), "{drawn}");
    assert_eq!(lines.len(), 3);
}

/// Everything a model can read a column for: key of two columns, order, comparison, a factor, a
/// combination that nothing indexes, columns by pattern.
const ALL_USES: &str = "data {
  factor item;
  factor cell from (\"ward\", \"day\");
  branch (clinic, ward) {
    rows N by (day, hour);
    array[N] int ill from \"state\" == \"ill\";
    array[N] index(item) item;
    matrix[N, 2] x from cols(\"x_*\");
    vector[N] y from \"odd name\";
    real old from \"age\" == \"old\";
  }
}
global { vector[2] b ~ normal(0, 1); vector[size(item)] c ~ normal(0, 1);
         vector[size(cell)] d ~ normal(0, 1); real e = sum(d); }
local { real a ~ normal(e + old, 1);
        for (n in 2:N) y[n] ~ normal(a + y[n - 1] + c[item[n]], 1);
        y[1] ~ normal(0, 1);
        ill ~ bernoulli_logit(a + x * b); }";

const ALL_ROWS: &str = "clinic,ward,day,hour,state,item,x_1,x_b,odd name,age\n\
                        K,2,2,1,ill,pen,1,2,0.5,old\nK,2,1,10,well,cup,1,2,0.5,old\n\
                        K,2,1,9,well,pen,0,2,0.5,old\nK,10,1,1,ill,cup,0,2,0.5,new\n";

#[test]
fn what_is_written_binds_again_to_the_same_data() {
    let text = ALL_USES.replace(
        "for (n in 2:N) y[n] ~ normal(a + y[n - 1] + c[item[n]], 1);\n        y[1] ~ normal(0, 1);",
        "y[1] ~ normal(0, 1);\n for (n in 2:N) y[n] ~ normal(a + y[n - 1] + c[item[n]], 1);",
    );
    let model = model(&text);
    // Of four rows some must be ill, or the comparison would never hold, which is refused.
    let is_mixed = |drawn: &Simulated| {
        let ill = drawn.data.values(drawn.data.schema_position("ill").expect("a datum"));
        ill.contains(&1.0) && ill.contains(&0.0)
    };
    let drawn =
        (0..50).map(|seed| draw(&text, ALL_ROWS, seed)).find(is_mixed).expect("a mixed one");
    assert_eq!(drawn.drawn, ["ill", "y"]);
    let written = rows(&drawn);
    let again = csv("rows.csv", &written).bind(model.schema()).expect("it binds");
    for (position, datum) in drawn.data.schema().data.iter().enumerate() {
        assert_eq!(again.values(position), drawn.data.values(position), "{}", datum.name);
    }
    assert!(column(&written, "state").iter().all(|state| ["ill", "well"].contains(state)));
}

/// Statements run in order, so that a row before the first one drawn is not known.
#[test]
fn what_is_drawn_further_down_cannot_be_read() {
    let message = refusal(ALL_USES, ALL_ROWS);
    assert!(message.contains("`y` cannot be drawn"), "{message}");
    assert!(message.contains("not a number here"), "{message}");
}

#[test]
fn a_comparison_without_other_text_says_not() {
    let model = "data { branch id { int says from \"answer\" == \"yes\"; } }
global { real mu ~ normal(0, 1); } local { real a ~ normal(mu, 1); says ~ bernoulli_logit(a); }";
    let mut seen = Vec::new();
    for seed in 0..20 {
        let drawn = rows(&draw(model, "id\n1\n2\n3\n", seed));
        seen.extend(column(&drawn, "answer").iter().map(|cell| cell.to_string()));
    }
    assert!(seen.iter().all(|cell| cell == "yes" || cell == "not yes"), "{seen:?}");
    assert!(seen.contains(&"yes".to_string()) && seen.contains(&"not yes".to_string()));
}

#[test]
fn rows_that_were_dropped_are_left_out() {
    let config = SimulateConfig::default();
    let data = csv("rows.csv", "school,sigma\nA,1\nB,\nC,2\n").na_drop();
    let drawn = simulate(&model(SCHOOLS), data, &config).expect("it can be drawn");
    assert_eq!(column(&rows(&drawn), "school"), ["A", "C"]);
}

#[test]
fn data_of_branches_go_to_the_file_of_branches() {
    let text_of = "data { branch g { rows N; vector[N] y; real size; real x; } }
global { real mu ~ normal(0, 1); }
local { real a ~ normal(mu, 1); size ~ normal(a + x, 1); y ~ normal(a, 1); }";
    let model = model(text_of);
    let data = csv("rows.csv", "g,y\n2,0\n1,0\n1,0\n");
    let listed = csv("groups.csv", "size,g,x\n0,3,1.0\n0,1,2.0\n0,2,3.0\n");
    let data = data.branches(listed);
    let drawn = simulate(&model, data, &SimulateConfig::default()).expect("it can be drawn");
    let branches = text(drawn.branches_csv().expect("written").expect("there are some"));
    assert_eq!(column(&branches, "g"), ["3", "1", "2"]);
    assert_eq!(column(&branches, "x"), ["1.0", "2.0", "3.0"]);
    let written = rows(&drawn);
    assert_eq!(table(&written).0, ["g", "y"]);
    let again = csv("rows.csv", &written).branches(csv("groups.csv", &branches));
    let again = again.bind(model.schema()).expect("it binds");
    let size = again.schema_position("size").expect("a datum");
    assert_eq!(again.values(size), drawn.data.values(size));
    assert!(again.values(size).iter().all(|&value| value != 0.0));
}

#[test]
fn what_is_used_otherwise_is_given() {
    let model = |uses: &str| {
        format!(
            "data {{ branch g {{ rows N; vector[N] y; {uses} }} }}
global {{ real mu ~ normal(0, 1); }}
local {{ real a ~ normal(mu, 1); y ~ normal(a + z, 1); }}"
        )
    };
    let uses = [
        "real z = mean(y);",
        "real z = mean(column(y));",
        "vector[N] z = standardize(y);",
        "vector[N] z from \"y\";",
    ];
    for text in uses {
        let drawn = draw(&model(text), "g,y\n1,3\n1,5\n", 1);
        assert_eq!(
            (drawn.drawn.len(), drawn.given.as_slice()),
            (0, ["y".to_string()].as_slice()),
            "{text}"
        );
        assert_eq!(column(&rows(&drawn), "y"), ["3", "5"], "{text}");
    }
}

#[test]
fn flat_unknowns_need_values() {
    let flat = "data { branch g { real y; } } global { real mu; real<lower=0> s ~ normal(0, 1); }
local { real a ~ normal(mu, s); y ~ normal(a, 1); }";
    let message = refusal(flat, "g\n1\n");
    assert!(
        message.contains("`mu` has no value to go on with") && message.contains("--at"),
        "{message}"
    );

    let point = Point { globals: vec![1e6, 1e-3], locals: vec![vec![-1e6]] };
    let config = SimulateConfig { seed: 1, point: Some(point.clone()) };
    let drawn =
        simulate(&model(flat), csv("rows.csv", "g\n1\n"), &config).expect("values are given");
    assert_eq!(drawn.point, point);
    let y: f64 = column(&rows(&drawn), "y")[0].parse().expect("a number");
    assert!((y + 1e6).abs() < 8.0, "{y} is not around the value of its local");
}
