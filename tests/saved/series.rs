//! Predictions of a series whose values are drawn from those before, against closed forms.

use hbdc::{FitConfig, PredictConfig, Prediction, SavedFit, Source, compile};

use super::{Saved, csv, refusal, saved};

/// An autoregression about a level b of each branch, which has a standard normal prior: the global
/// is held at zero. S² and PHI are those of the terms.
const PHI: f64 = 0.6;
const S2: f64 = 0.25;
const DATA: &str = "data { branch g { rows N by t; vector[N] y; } }";
const BLOCKS: &str = "global { real mu ~ normal(0, 0.001); }\nlocal { real b ~ normal(mu, 1);";

fn fitted(data: &str, terms: &str) -> SavedFit {
    let text = format!("{data}\n{BLOCKS} {terms} }}");
    let model = compile(&Source::new("series.hbd", text)).expect("the model compiles");
    let mut rows = "g,t,y,w\n".to_string();
    for (g, level) in [0.7, -1.1, 0.2].iter().enumerate() {
        for t in 0..6 {
            let y = level + 0.3 * f64::from(t * 7 % 5 - 2);
            rows.push_str(&format!("{g},{t},{y},{t}\n"));
        }
    }
    let bound = csv(&rows).bind(model.schema()).expect("the data fit");
    let Saved { saved, .. } = saved(&model, &bound, &FitConfig::default().max_steps(60));
    saved
}

/// The same law, written for each row and for all rows at once.
const LOOP: &str =
    "y[1] ~ normal(b, 0.5); for (n in 2:N) y[n] ~ normal(b + 0.6 * (y[n - 1] - b), 0.5);";
const SLICES: &str = "y[1] ~ normal(b, 0.5); y[2:N] ~ normal(b + 0.6 * (y[1:(N - 1)] - b), 0.5);";
const OWN: &str = "y[1] ~ normal(b, 0.5); for (n in 2:N) y[n] ~ step(y[n - 1], b);";
const FUNCTION: &str = "functions {
  real step_lpdf(real x, real last, real b) { return normal_lpdf(x | b + 0.6 * (last - b), 0.5); }
  real step_rng(real last, real b) { return normal_rng(b + 0.6 * (last - b), 0.5); }
}
";

/// Mean and variance of the level given the values of a branch, and of the values after them: of
/// y_T+h they are b + φʰ (y_T − b) and s² (1 + φ² + … + φ²⁽ʰ⁻¹⁾), with b's own spread.
fn exact(known: &[f64], ahead: usize) -> [(f64, f64); 2] {
    let (mut precision, mut weighted) = (1.0, 0.0);
    for (n, y) in known.iter().enumerate() {
        let (slope, value) = if n == 0 { (1.0, *y) } else { (1.0 - PHI, y - PHI * known[n - 1]) };
        precision += slope * slope / S2;
        weighted += slope * value / S2;
    }
    let (b, var) = (weighted / precision, 1.0 / precision);
    let noise = |h: usize| (0..h).map(|k| S2 * PHI.powi(2 * k as i32)).sum::<f64>();
    let value = match known.last() {
        Some(last) => {
            let decay = PHI.powi(ahead as i32);
            (b + decay * (last - b), noise(ahead) + (1.0 - decay).powi(2) * var)
        }
        None => (b, noise(ahead) + var),
    };
    [(b, var), value]
}

fn assert_close(found: (f64, f64), (mean, var): (f64, f64), what: &str) {
    let sd = var.sqrt();
    assert!((found.0 - mean).abs() < 0.04 * sd, "{what}: {found:?} for {mean} {sd}");
    assert!((found.1 / sd - 1.0).abs() < 0.04, "{what}: {found:?} for {mean} {sd}");
}

fn level(found: &Prediction, branch: usize) -> (f64, f64) {
    let row = &found.branches().branches()[branch].as_ref().expect("finite").rows[0];
    (row.mean, row.sd)
}

#[test]
fn the_end_of_a_series_is_drawn_from_what_is_before() {
    let known = [0.4, 1.5, 1.1];
    // The first branch has three values and then four empty cells, the second has none at all.
    let mut new = "g,t,y\n".to_string();
    for t in 0..7 {
        let y = known.get(t).map_or(String::new(), f64::to_string);
        // In any order of the file.
        new.insert_str("g,t,y\n".len(), &format!("7,{t},{y}\n8,{t},\n"));
    }
    for terms in [LOOP, SLICES] {
        let fit = fitted(DATA, terms);
        let found = fit.predict(&csv(&new), &PredictConfig::default().draws(8000));
        let found = found.unwrap_or_else(|error| panic!("{terms}: {error}"));
        assert_eq!((found.n_rows(0), found.n_rows(1)), (3, 0), "{terms}");
        assert_close(level(&found, 0), exact(&known, 1)[0], terms);
        assert_close(level(&found, 1), exact(&[], 1)[0], terms);
        assert_eq!(found.cells().len(), 11);
        for (k, cell) in found.cells().iter().enumerate() {
            let summary = cell.summary.as_ref().expect("finite");
            let (known, ahead) = if k < 4 { (&known[..], k + 1) } else { (&[][..], k - 3) };
            let what = format!("{terms} cell {k}");
            assert_close((summary.mean, summary.sd), exact(known, ahead)[1], &what);
        }
        let none = fit.predict(&csv("g,t\n8,0\n8,1\n"), &PredictConfig::default().draws(8000));
        let none = none.expect("the column need not be there");
        let summary = none.cells()[1].summary.as_ref().expect("finite");
        assert_close((summary.mean, summary.sd), exact(&[], 2)[1], terms);
    }
}

#[test]
fn what_would_need_the_value_of_an_empty_cell_is_refused() {
    let own = format!("{FUNCTION}{DATA}");
    let two = "data { branch g { rows N by t; vector[N] y; vector[N] w; } }";
    let lag = "vector[N] lag = append_row(0, y[1:(N - 1)]); y ~ normal(b + 0.6 * lag, 0.5);";
    let follows = format!("{LOOP} w ~ normal(y, 1);");
    let told = format!("{LOOP} real last = y[N];");
    let ahead = "for (n in 1:(N - 1)) y[n] ~ normal(0.6 * y[n + 1], 0.5); y[N] ~ normal(b, 0.5);";
    let gap = "7,0,1,\n7,1,,\n7,2,1,\n";
    for (data, terms, cases) in [
        (
            DATA,
            LOOP,
            &[
                (gap, "new.csv:3, branch g = 7: `y` has an empty cell here and values after it"),
                (gap, "empty at the end of a branch alone"),
            ][..],
        ),
        (two, &follows, &[("7,0,1,1\n7,1,,1\n", "read by a term that is not its own")]),
        (
            DATA,
            ahead,
            &[
                ("7,0,1,\n7,1,,\n", "read by a term that is not its own"),
                ("7,0,,\n7,1,,\n", "cannot be predicted cell by cell"),
            ],
        ),
        (&own, OWN, &[("7,0,1,\n7,1,,\n", "with a built-in distribution alone")]),
        (DATA, &told, &[("7,0,1,\n7,1,,\n", "or by what is reported")]),
        (DATA, lag, &[("7,0,1,\n7,1,,\n7,2,,\n", "cannot be predicted cell by cell")]),
    ] {
        let fit = fitted(data, terms);
        for (new, wanted) in cases {
            let found = refusal(&fit, &csv(&format!("g,t,y,w\n{new}")));
            assert!(found.contains(wanted), "{terms} {new}: {found}");
        }
    }
    // Where what is drawn from an empty cell is empty too, nothing is missing.
    let fit = fitted(two, &follows);
    let found =
        fit.predict(&csv("g,t,y,w\n7,0,1,1\n7,1,,\n"), &PredictConfig::default().draws(8000));
    let found = found.expect("both cells are drawn");
    let (y, w) = (&found.cells()[0], &found.cells()[1]);
    assert_eq!((y.column.as_str(), w.column.as_str()), ("y", "w"));
    let sd = |k: usize| found.cells()[k].summary.as_ref().expect("finite").sd;
    assert!((sd(1).powi(2) / (sd(0).powi(2) + 1.0) - 1.0).abs() < 0.08, "{} {}", sd(0), sd(1));
}
