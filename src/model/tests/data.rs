//! The data block of whole models: what derived data, factors and tables come to once bound.

use crate::data::{BoundData, DataError, Dataset, SetValue};
use crate::model::{CompiledModel, compile};
use crate::source::Source;

/// A model of these data: `global` has `real m`, `local` has `real z`.
fn model(data: &str, local: &str) -> CompiledModel {
    let text = format!(
        "// allow: unused\ndata {{ {data} }}
         global {{ real m ~ normal(0, 1); }}
         local {{ real z ~ normal(m, 1); {local} }}"
    );
    compile(&Source::new("m.hbd", text.as_str())).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn file(name: &str, text: &str) -> Dataset {
    Dataset::from_csv_bytes(name, text.as_bytes().to_vec()).expect("the header is fine")
}

pub(super) fn rows(text: &str) -> Dataset {
    file("rows.csv", text)
}

pub(super) fn bound(model: &CompiledModel, data: Dataset) -> BoundData {
    data.bind(model.schema()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(model: &CompiledModel, data: Dataset) -> DataError {
    data.bind(model.schema()).expect_err("it is refused")
}

/// The values of a datum, as the model names it.
#[track_caller]
fn values<'a>(data: &'a BoundData, name: &str) -> &'a [f64] {
    let position = data.schema().data.iter().position(|datum| datum.name == name);
    data.values(position.unwrap_or_else(|| panic!("no datum {name}")))
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    let far = found.iter().zip(expected).any(|(a, b)| (a - b).abs() > 1e-14);
    assert!(!far, "{found:?} {expected:?}");
}

const ROWS: &str = "g,x,u,k\nb,4,10,3\na,1,20,1\nb,7,10,2\n";

#[test]
fn columns_are_taken_over_all_rows_or_branches() {
    let model = model(
        "real total = sum(column(x));
         real centre = mean(column(u));
         real scale = sd(column(centred));
         branch g {
           rows N;
           vector[N] centred = x - mean(column(x));
           vector[N] x;
           real u;
           real above = u - centre;
           array[N] int k;
           real share = sum(x) / total;
           real widest = max(column(x));
         }",
        "x ~ normal(z + above + share, scale);",
    );
    let data = bound(&model, rows(ROWS));
    assert_eq!((values(&data, "total"), values(&data, "centre")), (&[12.0][..], &[15.0][..]));
    assert_eq!(values(&data, "x"), [1.0, 4.0, 7.0]);
    assert_near(values(&data, "centred"), &[-3.0, 0.0, 3.0]);
    assert_near(values(&data, "scale"), &[3.0]);
    assert_near(values(&data, "above"), &[5.0, -5.0]);
    assert_near(values(&data, "share"), &[1.0 / 12.0, 11.0 / 12.0]);
    assert_eq!(values(&data, "widest"), [7.0, 7.0]);
}

#[test]
fn standardised_data_are_those_of_the_formula() {
    let model = model(
        "branch g {
           rows N;
           vector[N] x;
           real u;
           vector[N] square = x .* x;
           vector[N] a = standardize(x);
           vector[N] b = (x - mean(column(x))) / sd(column(x));
           vector[N] c = standardize(square);
           vector[N] d = (square - mean(column(square))) / sd(column(square));
           real v = standardize(u);
         }",
        "x ~ normal(z, 1);",
    );
    let data = bound(&model, rows(ROWS));
    assert_near(values(&data, "a"), values(&data, "b"));
    assert_near(values(&data, "c"), values(&data, "d"));
    assert_near(values(&data, "a"), &[-1.0, 0.0, 1.0]);
    let half = 0.5_f64.sqrt();
    assert_near(values(&data, "v"), &[half, -half]);
}

#[test]
fn permuted_rows_give_the_same_data() {
    let model = model(
        "factor f from \"k\";
         branch g {
           rows N by x;
           vector[N] x;
           array[N] index(f) level from \"k\";
           vector[N] z_x = standardize(x);
           real first = x[1];
         }",
        "x ~ normal(z, 1);",
    );
    let data = bound(&model, rows(ROWS));
    assert_eq!(values(&data, "first"), [1.0, 4.0]);
    let permuted = bound(&model, rows("g,x,u,k\nb,7,10,2\nb,4,10,3\na,1,20,1\n"));
    assert_eq!(permuted.fingerprint(), data.fingerprint());
}

#[test]
fn factors_size_and_index_unknowns() {
    let text = "
        data { factor item; branch person { rows N; array[N] index(item) item;
               array[N] int<lower=0, upper=1> correct; } }
        global { vector[size(item)] b ~ normal(0, 2); real<lower=0> s ~ normal(0, 1); }
        local { real theta ~ normal(0, s);
                for (n in 1:N) correct[n] ~ bernoulli_logit(theta - b[item[n]]); }";
    let model = compile(&Source::new("m.hbd", text)).unwrap_or_else(|error| panic!("{error}"));
    let data = bound(&model, rows("person,item,correct\n1,hard,0\n1,easy,1\n2,odd,1\n"));
    assert_eq!(data.levels("item"), ["easy", "hard", "odd"]);
    let mut evaluator = model.evaluator(&data).expect("sizes are known");
    assert_eq!(evaluator.dimension(), 3 + 1 + 2);
    let b = evaluator.reported_layout().variables()[0].clone();
    assert_eq!(b.levels(&data), ["easy", "hard", "odd"]);

    let position = [0.3, -0.4, 1.1, 0.2, 0.7, -0.5];
    let (log_density, _) = evaluator.log_density_gradient(&position).expect("the length is right");
    let (b, log_s, theta) = (&position[..3], position[3], &position[4..]);
    let s = log_s.exp();
    let normal = |x: f64, scale: f64| {
        -0.5 * (x / scale).powi(2) - scale.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
    };
    let correct = |eta: f64| -(-eta).exp().ln_1p();
    let prior: f64 = b.iter().map(|&b| normal(b, 2.0)).sum::<f64>() + normal(s, 1.0) + log_s;
    let locals: f64 = theta.iter().map(|&theta| normal(theta, s)).sum();
    let outcomes = correct(b[1] - theta[0]) + correct(theta[0] - b[0]) + correct(theta[1] - b[2]);
    assert_near(&[log_density], &[prior + locals + outcomes]);
}

#[test]
fn tables_are_whole_data_in_the_order_of_their_keys() {
    let model = model(
        "table movies by id {
           real score;
           int year;
           row_vector[2] feature from cols(\"f*\");
           vector[2] other from cols(\"f*\");
           array[2] int<lower=0> count from cols(\"f*\");
           int drama from \"genre\" == \"drama\";
         }
         real mean_score = mean(movies.score);
         vector[size(movies)] rescaled = movies.score / 2;
         vector[size(movies)] z_score = standardize(movies.score);
         branch g { rows N; array[N] index(movies) movie; vector[N] y; }",
        "for (n in 1:N) y[n] ~ normal(z * movies.score[movie[n]], mean_score);",
    );
    let data = rows("g,movie,y\n1,10,1\n1,9,2\n");
    let table = file("m.csv", "id,score,year,f1,f2,genre\n10,1,1999,1,2,drama\n9,3,2001,3,4,war\n");
    let data = bound(&model, data.table("movies", table));
    assert_eq!(
        (values(&data, "movie"), values(&data, "movies.score")),
        (&[2.0, 1.0][..], &[3.0, 1.0][..])
    );
    assert_eq!(values(&data, "movies.feature"), [3.0, 4.0, 1.0, 2.0]);
    assert_eq!(values(&data, "movies.drama"), [0.0, 1.0]);
    assert_eq!(
        (values(&data, "mean_score"), values(&data, "rescaled")),
        (&[2.0][..], &[1.5, 0.5][..])
    );
    assert_eq!(data.levels("movies"), ["9", "10"]);
    let half = 0.5_f64.sqrt();
    assert_near(values(&data, "z_score"), &[half, -half]);
    assert!(model.evaluator(&data).is_ok());
}

#[test]
fn rows_of_a_table_are_picked_by_number() {
    let text = "
        data { table movies by id { row_vector[2] f from cols(\"f*\"); }
               branch user { rows N; array[N] index(movies) movie;
                             array[N] int<lower=0, upper=1> liked; } }
        global { real<lower=0> s ~ normal(0, 1); }
        local { vector[2] z ~ normal(0, s); liked ~ bernoulli_logit(movies.f[movie] * z); }";
    let model = compile(&Source::new("m.hbd", text)).unwrap_or_else(|error| panic!("{error}"));
    let table = file("m.csv", "id,f1,f2\nx,1,2\na,-1,0.5\n");
    let data = rows("user,movie,liked\n1,x,1\n1,a,0\n1,x,1\n").table("movies", table);
    let mut evaluator = model.evaluator(&bound(&model, data)).expect("sizes are known");
    let position = [0.25_f64, 0.4, -0.3];
    let (log_density, gradient) = evaluator.log_density_gradient(&position).expect("length 3");
    let (log_s, z) = (position[0], [position[1], position[2]]);
    let s = log_s.exp();
    let log_normal = |x: f64, scale: f64| {
        -0.5 * (x / scale).powi(2) - scale.ln() - 0.5 * (2.0 * std::f64::consts::PI).ln()
    };
    let (eta_x, eta_a) = (z[0] + 2.0 * z[1], -z[0] + 0.5 * z[1]);
    let yes = |eta: f64| -(-eta).exp().ln_1p();
    let expected = log_normal(s, 1.0)
        + log_s
        + log_normal(z[0], s)
        + log_normal(z[1], s)
        + 2.0 * yes(eta_x)
        + yes(-eta_a);
    assert_near(&[log_density], &[expected]);
    let share = |eta: f64| 1.0 / (1.0 + (-eta).exp());
    let slope = |k: usize, x: f64, a: f64| {
        -z[k] / (s * s) + 2.0 * x * (1.0 - share(eta_x)) - a * share(eta_a)
    };
    assert_near(&gradient.to_vec()[1..], &[slope(0, 1.0, -1.0), slope(1, 2.0, 0.5)]);
}

#[test]
fn branches_without_rows_have_derived_data_too() {
    let model = model(
        "real centre = mean(column(u));
         branch g { rows N; vector[N] x; real u; real d = u - centre; int n = N; }",
        "x ~ normal(z + d, 1);",
    );
    let branches = file("b.csv", "g,u\n1,1\n2,2\n3,6\n");
    let data = bound(&model, rows("g,x\n3,1\n1,2\n").branches(branches));
    assert_eq!(
        (values(&data, "d"), values(&data, "n")),
        (&[-2.0, -1.0, 3.0][..], &[1.0, 0.0, 1.0][..])
    );
    let mut evaluator = model.evaluator(&data).expect("it compiles");
    let (log_density, gradient) =
        evaluator.log_density_gradient(&[0.0; 4]).expect("the length is right");
    assert!(log_density.is_finite() && gradient.iter().all(|slope| slope.is_finite()));
}

#[test]
fn data_of_any_level_bound_others_row_by_row() {
    let model = model(
        "int<lower=1> most;
         branch g { rows N; array[N] int<lower=0, upper=size> cases; array[N] int<upper=most> size; }",
        "for (n in 1:N) cases[n] ~ binomial_logit(size[n], z);",
    );
    let set = |text: &str| rows(text).set("most", 9.0);
    assert!(set("g,cases,size\n1,2,3\n").bind(model.schema()).is_ok());
    let error = refused(&model, set("g,cases,size\n1,2,3\n1,4,3\n"));
    assert!(error.message().contains("its upper bound `size`, here 3"), "{error}");
    let error = refused(&model, set("g,cases,size\n1,2,10\n"));
    assert!(error.message().contains("its upper bound `most`, here 9"), "{error}");
}

#[test]
fn whole_data_are_set_in_their_shape() {
    let model = model(
        "int<lower=1> K; vector[K] w; matrix[2, K] a; array[K] int n; real r;
         branch g { real x; }",
        "x ~ normal(z + r, 1);",
    );
    let set = |name: &str, text: &str| {
        let value = |text: &str| SetValue::parse(text).expect("JSON");
        let usual = [("K", "2"), ("w", "[1, 2]"), ("a", "[[1, 2], [3, 4]]"), ("n", "[5, 6]")];
        let data = usual.iter().fold(rows("g,x\n1,1\n").set("r", 0.5), |data, (name, text)| {
            data.set(*name, value(text))
        });
        data.set(name, value(text)).bind(model.schema())
    };
    let data = set("r", "1").expect("all is set");
    assert_eq!(values(&data, "a"), [1.0, 2.0, 3.0, 4.0]);
    for (name, text, code) in [
        ("w", "[1, 2, 3]", "data-shape"),
        ("a", "[1, 2, 3, 4]", "data-shape"),
        ("a", "[[1, 2]]", "data-shape"),
        ("n", "[1, 2.5]", "not-whole"),
        ("r", "[1]", "data-shape"),
        ("x", "1", "setting"),
        ("k", "1", "setting"),
    ] {
        let error = set(name, text).expect_err("it is refused");
        assert_eq!(error.code(), code, "{name}={text}: {error}");
    }
}

#[test]
fn made_up_files_fit_factors_tables_and_missing_cells() {
    let model = model(
        "factor item; factor cell from (\"a\", \"b\"); factor mood levels(\"low\", \"high\");
         table movies by id { real score; row_vector[3] f from cols(\"f_*\"); index(item) item; }
         real centre = mean(column(x));
         branch g {
           rows N;
           vector[N] x missing;
           array[N] index(item) item;
           array[N] index(cell) place;
           index(mood) mood;
           array[N] index(movies) movie;
           int old from \"age\" == \"old\";
           matrix[N, size(mood)] wide from cols(\"w_*\");
           vector[N] s = standardize(w);
           vector[N] w;
         }",
        "s ~ normal(z, 1);",
    );
    let data = model.schema().synthetic_data(&[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((data.levels("mood").len(), data.levels("movies").len()), (2, 2));
    assert_eq!(data.n_branches(), 2);
    assert!(model.time_first_gradient(&[]).is_ok());
}
