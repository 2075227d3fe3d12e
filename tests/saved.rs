//! What is done with a fit that was saved, held to the fit itself and to closed forms.

#[path = "support/conjugate.rs"]
mod conjugate;
#[path = "saved/series.rs"]
mod series;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use conjugate::{Conjugate, invert};
use hbdc::{
    BoundData, Column, CompiledModel, Dataset, Family, Fit, FitConfig, LocalSummary, PredictConfig,
    Prediction, SavedError, SavedFit, Source, compile, fit, write_fit,
};
use tempfile::TempDir;

const D: usize = 2;

/// The conjugate model.
const MODEL: &str = "\
data {
  int<lower=1> D;
  branch group { rows N; matrix[N, D] x from cols(\"x*\"); vector[N] y; }
}
global { vector[D] theta ~ std_normal(); }
local {
  vector[D] z ~ normal(theta, 1);
  y ~ normal(x * z, 1);
}
";

/// A fit, its folder, and the same opened again.
struct Saved {
    folder: TempDir,
    fit: Fit,
    saved: SavedFit,
}

fn saved(model: &CompiledModel, data: &BoundData, config: &FitConfig) -> Saved {
    let fit = fit(model, data, config).expect("the fit starts");
    let folder = TempDir::new().expect("a folder for the test");
    write_fit(&folder.path().join("a.fit"), model, &fit, false).expect("the folder is written");
    let saved = SavedFit::open(folder.path().join("a.fit")).expect("it is whole");
    Saved { folder, fit, saved }
}

/// The rows of a conjugate data set, without the setting of `D`.
fn rows(data: &Conjugate, keys: std::ops::Range<usize>, hidden: impl Fn(usize) -> bool) -> Dataset {
    let mut columns = vec![Vec::new(); D];
    let (mut group, mut y) = (Vec::new(), Vec::new());
    for (branch, (xs, ys)) in keys.zip(data.x.iter().zip(&data.y)) {
        for (row, (x, &outcome)) in xs.chunks_exact(D).zip(ys).enumerate() {
            group.push(branch as f64);
            y.push(if hidden(row) { f64::NAN } else { outcome });
            columns.iter_mut().zip(x).for_each(|(column, &x)| column.push(x));
        }
    }
    let numbers = |(name, values): (String, Vec<f64>)| (name, Column::Numbers(values));
    let named = [("group".to_string(), group), ("y".to_string(), y)].into_iter();
    let xs = columns.into_iter().enumerate().map(|(k, c)| (format!("x{k}"), c));
    Dataset::from_columns(named.chain(xs).map(numbers).collect()).expect("equal lengths")
}

fn part(data: &Conjugate, branches: std::ops::Range<usize>) -> Conjugate {
    let (x, y) = (data.x[branches.clone()].to_vec(), data.y[branches].to_vec());
    Conjugate { n_local: D, x, y }
}

/// S and Sxy of some rows, with S = (I + xᵀx)⁻¹.
fn site(rows: &[(&[f64], f64)]) -> (Vec<f64>, Vec<f64>) {
    let mut lambda = vec![1.0, 0.0, 0.0, 1.0];
    let mut xy = [0.0; D];
    for (x, y) in rows {
        for j in 0..D {
            xy[j] += x[j] * y;
            (0..D).for_each(|k| lambda[j * D + k] += x[j] * x[k]);
        }
    }
    let s = invert(&lambda, D).0;
    let mean = (0..D).map(|j| s[j * D] * xy[0] + s[j * D + 1] * xy[1]).collect();
    (s, mean)
}

/// Mean and covariance of z of these rows, where θ is as `data` say: z|θ ~ N(Sxy + Sθ, S).
fn exact_local(rows: &[(&[f64], f64)], data: &Conjugate) -> (Vec<f64>, Vec<f64>) {
    let exact = data.exact();
    let (s, own) = site(rows);
    let (v, _) = invert(&exact.precision, D);
    let times = |a: &[f64], b: &[f64]| -> Vec<f64> {
        (0..D * D).map(|jk| (0..D).map(|l| a[jk / D * D + l] * b[l * D + jk % D]).sum()).collect()
    };
    let covariance: Vec<f64> =
        times(&times(&s, &v), &s).iter().zip(&s).map(|(a, b)| a + b).collect();
    let mean = (0..D).map(|j| own[j] + (0..D).map(|k| s[j * D + k] * exact.mean[k]).sum::<f64>());
    (mean.collect(), covariance)
}

fn rows_of(data: &Conjugate, branch: usize) -> Vec<(&[f64], f64)> {
    data.x[branch].chunks_exact(D).zip(data.y[branch].iter().copied()).collect()
}

fn locals(prediction: &Prediction, branch: usize) -> &LocalSummary {
    prediction.branches().branches()[branch].as_ref().expect("draws are finite")
}

/// Thirty branches that are fitted, once for all tests, and three that are not.
static FITTED: LazyLock<(Conjugate, Saved)> = LazyLock::new(|| {
    let all = Conjugate::generate(33, 4, D);
    let model = compile(&Source::new("conjugate.hbd", MODEL)).expect("the model compiles");
    let data = rows(&part(&all, 0..30), 0..30, |_| false).set("D", D as f64);
    let bound = data.bind(model.schema()).expect("the data fit");
    (all, saved(&model, &bound, &FitConfig::default().max_steps(400)))
});

#[test]
fn predictions_are_those_of_the_conjugate_model() {
    let (all, Saved { fit, saved, .. }) = &*FITTED;
    let fitted = part(all, 0..30);

    // The rows of the fit give what the fit wrote, to the bit.
    let own = saved.predict(&rows(&fitted, 0..30, |_| false), &PredictConfig::default());
    let own = own.expect("its own rows");
    assert_eq!(own.branches().branches(), fit.posterior().branches().branches());
    assert_eq!(saved.draws(500).values(), fit.posterior().draws(500).values());
    assert!(own.cells().is_empty());

    // New branches: given the θ of the fit, and near what a fit with them would say.
    let new = part(all, 30..33);
    let many = PredictConfig::default().draws(10_000);
    let found = saved.predict(&rows(&new, 900..903, |_| false), &many).expect("new rows");
    let mut distances = Vec::new();
    for branch in 0..3 {
        let (mean, covariance) = exact_local(&rows_of(&new, branch), &fitted);
        let (with, _) = exact_local(&rows_of(&new, branch), all);
        for (k, row) in locals(&found, branch).rows.iter().enumerate() {
            let sd = covariance[k * D + k].sqrt();
            let off = (row.mean - mean[k]) / sd;
            assert!(off.abs() < 0.04, "mean of {} off by {off} sd", row.name);
            assert!((row.sd / sd - 1.0).abs() < 0.04, "sd {} of {}, not {sd}", row.sd, row.name);
            distances.push(((row.mean - with[k]) / sd).abs());
        }
    }
    let average = distances.iter().sum::<f64>() / distances.len() as f64;
    assert!(average < 0.05, "{average} sd from a fit with these branches");
}

#[test]
fn empty_cells_are_left_out_and_predicted() {
    let (all, Saved { saved, .. }) = &*FITTED;
    let (fitted, new) = (part(all, 0..30), part(all, 30..32));
    let many = PredictConfig::default().draws(10_000);
    for (n_empty, is_empty) in [(1, (|row| row == 2) as fn(usize) -> bool), (4, |_| true)] {
        let found = saved.predict(&rows(&new, 7..9, is_empty), &many).expect("rows with gaps");
        assert_eq!(found.cells().len(), 2 * n_empty);
        for branch in 0..2 {
            let all_rows = rows_of(&new, branch);
            let there = all_rows.iter().enumerate().filter(|(row, _)| !is_empty(*row));
            let there: Vec<(&[f64], f64)> = there.map(|(_, row)| *row).collect();
            assert_eq!(found.n_rows(branch), there.len());
            let (mean, covariance) = exact_local(&there, &fitted);
            for (k, row) in locals(&found, branch).rows.iter().enumerate() {
                let sd = covariance[k * D + k].sqrt();
                let off = (row.mean - mean[k]) / sd;
                assert!(off.abs() < 0.04, "mean of {} off by {off} sd", row.name);
                assert!((row.sd / sd - 1.0).abs() < 0.04, "sd of {}", row.name);
            }
            let empty = (0..4).filter(|&row| is_empty(row));
            let cells = found.cells().iter().filter(|cell| cell.branch == branch);
            for (row, cell) in empty.zip(cells) {
                assert_eq!(
                    (cell.line, cell.column.as_str()),
                    (Some((branch * 4 + row + 1) as u64), "y")
                );
                // y = xᵀz + ε has mean xᵀE z and variance xᵀ(Cov z)x + 1.
                let x = all_rows[row].0;
                let centre: f64 = x.iter().zip(&mean).map(|(a, b)| a * b).sum();
                let variance: f64 =
                    (0..D * D).map(|jk| x[jk / D] * covariance[jk] * x[jk % D]).sum();
                let sd = (variance + 1.0).sqrt();
                let figures = cell.summary.as_ref().expect("draws are finite");
                assert!(((figures.mean - centre) / sd).abs() < 0.04, "{figures:?}, not {centre}");
                assert!((figures.sd / sd - 1.0).abs() < 0.04, "{figures:?}, not {sd}");
                let q95 = centre + 1.644_853_627 * sd;
                assert!(((figures.q95 - q95) / sd).abs() < 0.08, "{figures:?}, not {q95}");
            }
        }
    }
}

#[test]
fn draws_of_a_branch_are_behind_its_summary() {
    let data = Conjugate::generate(6, 4, D);
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("rows.csv");
    let csv = |y: f64| {
        let mut text = "group,y,x0,x1\n".to_string();
        for branch in 0..6 {
            for (x, outcome) in rows_of(&data, branch) {
                text.push_str(&format!("g{branch},{},{},{}\n", outcome + y, x[0], x[1]));
            }
        }
        text
    };
    fs::write(&file, csv(0.0)).expect("a file");
    let model = compile(&Source::new("conjugate.hbd", MODEL)).expect("it compiles");
    let dataset = Dataset::read_csv(&file).expect("a file").set("D", 2.0);
    for config in [
        FitConfig::default(),
        FitConfig::default().holdout(0.3),
        FitConfig::default().holdout_branches(0.3),
        FitConfig::default().family(Family::Branch),
    ] {
        let bound = dataset.bind(model.schema()).expect("the data fit");
        let Saved { fit, saved, .. } = saved(&model, &bound, &config.max_steps(300));
        let summaries = fit.posterior().branches();
        let last = fit.evaluator().data().n_branches() - 1;
        let key = fit.evaluator().data().key(last)[0].to_string();
        let draws = saved.branch_draws(&key, summaries.draws(), saved.seed()).expect("the branch");
        let known = &summaries.branches()[last].as_ref().expect("finite").rows;
        for (row, column) in known.iter().zip(draws.values().columns()) {
            let mean = column.mean().expect("there are draws");
            assert!((mean - row.mean).abs() < 1e-12, "{mean} and {}", row.mean);
        }
    }
    let bound = dataset.bind(model.schema()).expect("the data fit");
    let Saved { saved, .. } = saved(&model, &bound, &FitConfig::default().max_steps(200));
    let says = |key: &str| match saved.branch_draws(key, 10, 1) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{key} is no branch"),
    };
    assert!(says("g77").contains("the fit has no branch group = g77"), "{}", says("g77"));
    assert!(says("g77").contains("did you mean group = g"), "{}", says("g77"));
    assert!(saved.branch_draws("group=g3", 10, 1).is_ok());
    fs::write(&file, csv(0.5)).expect("a file");
    assert!(says("g3").contains("is not what the fit saw"), "{}", says("g3"));
    fs::remove_file(&file).expect("a file");
    assert!(says("g3").contains("--data FILE"), "{}", says("g3"));
}

/// A model that reads everything a fit has to keep.
const KEEPS: &str = "\
data {
  real scale;
  factor item;
  table town by code { real size; }
  branch shop {
    rows N;
    array[N] index(item) item;
    index(town) town;
    vector[N] price;
    vector[N] centred = price - mean(column(price));
    vector[N] y;
  }
}
global {
  vector[size(item)] effect ~ normal(0, 1);
  real mu ~ normal(0, 5);
  real beta, gamma ~ normal(0, 1);
}
local {
  real a ~ normal(mu + town.size[town], scale);
  y ~ normal(a + effect[item] + beta * standardize(price) + gamma * centred, 1);
}
";

fn keeps() -> (Saved, String) {
    let mut text = "shop,item,town,price,y\n".to_string();
    for (k, (shop, town)) in [("s1", "A"), ("s2", "B"), ("s3", "A"), ("s4", "B")].iter().enumerate()
    {
        for (j, item) in ["apple", "bread", "cake"].iter().enumerate() {
            let (price, y) = (1 + 3 * j + k * k, j + k);
            text.push_str(&format!("{shop},{item},{town},{price},{y}\n"));
        }
    }
    let model = compile(&Source::new("keeps.hbd", KEEPS)).expect("the model compiles");
    let towns = csv("code,size\nA,0.5\nB,2\n");
    let data = csv(&text).table("town", towns).set("scale", 1.5);
    let bound = data.bind(model.schema()).expect("the data fit");
    (saved(&model, &bound, &FitConfig::default().max_steps(300)), text)
}

fn csv(text: &str) -> Dataset {
    Dataset::from_csv_bytes("new.csv", text.as_bytes().to_vec()).expect("a header")
}

fn refusal(saved: &SavedFit, data: &Dataset) -> String {
    match saved.predict(data, &PredictConfig::default()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it is refused"),
    }
}

/// Levels, tables, settings and statistics are those of the fit, whatever the new rows are.
#[test]
fn new_rows_are_read_in_the_terms_of_the_fit() {
    let (Saved { fit, saved, .. }, text) = keeps();
    let config = PredictConfig::default().draws(300);
    let whole = saved.predict(&csv(&text), &config).expect("the rows of the fit");
    let own = saved.predict(&csv(&text), &PredictConfig::default()).expect("the same");
    assert_eq!(own.branches().branches(), fit.posterior().branches().branches());
    let lines: Vec<&str> = text.lines().collect();
    let first = saved.predict(&csv(&lines[..4].join("\n")), &config).expect("one branch");
    assert_eq!(first.branches().branches()[0], whole.branches().branches()[0]);
    // Columns that the model does not read need not be there, and others may.
    let last_item = format!("{},note\ns1,cake,A,7,,x\n", lines[0]);
    let found = saved.predict(&csv(&last_item), &config).expect("one level of three");
    assert_eq!(found.cells().len(), 1);
}

#[test]
fn what_does_not_go_with_the_fit_is_refused_with_a_reason() {
    let (Saved { saved, .. }, _) = keeps();
    let header = "shop,item,town,price,y\n";
    for (text, wanted) in [
        ("s9,bred,A,1,1", "`bred` is no level of the factor `item`"),
        ("s9,bred,A,1,1", "did you mean `bread`?"),
        ("s9,bred,A,1,1", "fit again"),
        ("s9,bread,C,1,1", "`C` is no `code` of the table `town`"),
        ("s9,bread,A,,1", "column `price`"),
        ("s9,bread,A,x,1", "`x`"),
    ] {
        let found = refusal(&saved, &csv(&format!("{header}{text}\n")));
        assert!(found.contains(wanted), "{text}: {found}");
    }
    let found = refusal(&saved, &csv("shop,item,town,y\ns9,bread,A,1\n"));
    assert!(found.contains("`price`"), "{found}");
    let row = csv(&format!("{header}s9,bread,A,1,1\n"));
    let found = refusal(&saved, &row.clone().set("scale", 2.0));
    assert!(found.contains("a setting of `scale` is given, and the fit has its own"), "{found}");
    let found = refusal(&saved, &row.table("town", csv("code,size\nA,1\n")));
    assert!(found.contains("the table `town` is given"), "{found}");
}

/// Fits rows of three branches to a model whose outcome has this term.
fn with_term(term: &str) -> SavedFit {
    let text = format!(
        "data {{ branch g {{ rows N; vector[N] x; vector[N] y; }} }}\n\
         global {{ real mu ~ normal(0, 1); }}\n\
         local {{ real a ~ normal(mu, 1); {term} }}"
    );
    let model = compile(&Source::new("term.hbd", text)).expect("the model compiles");
    let rows = "g,x,y\n1,0.1,1\n1,0.5,2\n2,0.2,0\n2,0.9,1\n3,0.3,3\n3,0.6,2\n";
    let bound = csv(rows).bind(model.schema()).expect("the data fit");
    saved(&model, &bound, &FitConfig::default().max_steps(200)).saved
}

#[test]
fn outcomes_that_cannot_be_drawn_say_why() {
    let new = csv("g,x,y\n4,0.1,1\n4,0.2,\n");
    for (term, wanted) in [
        (
            "target += normal_lpdf(y | a, 1);",
            "`y` cannot be predicted: its density stands in `target +=`",
        ),
        (
            "y ~ multi_normal(rep_vector(a, N), identity_matrix(N));",
            "`y` cannot be predicted: cells of `y` may be empty, and `multi_normal` is",
        ),
        (
            "y ~ normal(a, 1); target += normal_lpdf(sum(y) | 0, 9);",
            "`y` cannot be predicted: it, or its column, is used elsewhere than left of `~`",
        ),
        (
            "y ~ normal(a, 1); log(y + 9) ~ normal(0, 9);",
            "`y` cannot be predicted: it, or its column, is used elsewhere",
        ),
    ] {
        let saved = with_term(term);
        let found = refusal(&saved, &new);
        assert!(found.contains(wanted), "{term}: {found}");
        // Whole rows are no matter.
        let whole = saved.predict(&csv("g,x,y\n4,0.1,1\n4,0.2,2\n"), &PredictConfig::default());
        assert!(whole.is_ok(), "{term}");
    }
}

/// An outcome of the branch itself, one that is compared with a text, and no column at all.
#[test]
fn outcomes_of_any_kind_are_predicted() {
    let text = "data { branch g { int<lower=0, upper=1> won from \"state\" == \"won\"; } }\n\
                global { real mu ~ normal(0, 1); }\n\
                local { real a ~ normal(mu, 1); won ~ bernoulli_logit(a); }";
    let model = compile(&Source::new("won.hbd", text)).expect("the model compiles");
    let rows = "g,state\n1,won\n2,lost\n3,won\n4,won\n";
    let bound = csv(rows).bind(model.schema()).expect("the data fit");
    let Saved { saved, .. } = saved(&model, &bound, &FitConfig::default().max_steps(300));
    let config = PredictConfig::default().draws(4000);
    for (new, n_absent) in [("g,state\n9,\n8,lost\n", 0), ("g\n9\n8\n", 1)] {
        let found = saved.predict(&csv(new), &config).expect("an outcome may be empty");
        assert_eq!((found.absent().len(), found.cells().len()), (n_absent, 1 + n_absent));
        let cell = found.cells().last().expect("a cell").summary.clone().expect("finite");
        // The mean of a binary outcome is E logistic(a), and its variance p(1 − p).
        let p = cell.mean;
        assert!((0.3..0.8).contains(&p), "{p}");
        assert!((cell.sd - (p * (1.0 - p)).sqrt()).abs() < 1e-3, "{cell:?}");
        assert!((cell.q5, cell.q95) == (0.0, 1.0), "{cell:?}");
        assert_eq!(found.n_rows(found.data().n_branches() - 1), 0);
    }
}

#[test]
fn simulated_outcomes_follow_the_fit() {
    let (all, Saved { saved, .. }) = &*FITTED;
    let new = rows(&part(all, 30..32), 7..9, |_| false);
    let drawn = |seed| {
        let simulated = saved.simulate(new.clone(), seed).expect("outcomes can be drawn");
        assert_eq!(simulated.drawn, ["y"]);
        simulated.rows_csv().expect("rows")
    };
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
}

/// A fit without importance weights, whose file is small.
fn small() -> Saved {
    let model = compile(&Source::new(
        "small.hbd",
        "data { branch g { real y; } }\nglobal { real mu ~ normal(0, 1); }\n\
         local { real a ~ normal(mu, 1); y ~ normal(a, 1); }",
    ))
    .expect("the model compiles");
    let bound = csv("g,y\n1,0.5\n2,1\n").bind(model.schema()).expect("the data fit");
    saved(&model, &bound, &FitConfig::default().max_seconds(1e-6))
}

#[test]
fn a_damaged_posterior_is_an_error() {
    let Saved { folder, .. } = small();
    let (fit, file) = (folder.path().join("a.fit"), "posterior/posterior.bin");
    let path = fit.join(file);
    let whole = fs::read(&path).expect("the posterior");
    assert!(whole.len() < 20_000, "{} bytes take long to damage one by one", whole.len());
    let opens = |bytes: &[u8], path: &Path| {
        fs::write(path, bytes).expect("a file");
        SavedFit::open(&fit).is_ok()
    };
    for at in 0..whole.len() {
        assert!(!opens(&whole[..at], &path), "cut at {at}");
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(!opens(&damaged, &path), "a bit of byte {at} flipped");
        damaged[at] = !whole[at];
        assert!(!opens(&damaged, &path), "byte {at} flipped");
    }
    assert!(opens(&whole, &path));
    fs::remove_file(&path).expect("a file");
    assert!(matches!(SavedFit::open(&fit), Err(SavedError::NotAFit(_))));
}
