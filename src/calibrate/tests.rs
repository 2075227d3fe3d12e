//! Exact posteriors pass, altered ones and what cannot be drawn do not.

use std::ops::ControlFlow;

use super::{CalibrateConfig, CalibrateError, Calibration, calibrate, calibrate_with};
use crate::data::Dataset;
use crate::fit::FitConfig;
use crate::model::{CompiledModel, compile};
use crate::simulate::SimulateError;
use crate::source::Source;

/// Linear and Gaussian: the default guide contains the posterior, and starts at it.
const GAUSSIAN: &str = "data { branch g { rows N; vector[N] x; vector[N] y; } }
global { real a ~ normal(0, 1); real b ~ normal(1, 2); }
local { real z ~ normal(a, 1); y ~ normal(z + b * x, 0.5); }";
const ROWS: &str = "g,x\n1,0\n1,1\n1,-1\n2,0.5\n2,2\n3,-1\n3,-2\n3,0\n4,1\n4,-0.5\n";

fn model(text: &str) -> CompiledModel {
    let compiled = compile(&Source::new("model.hbd", text));
    compiled.unwrap_or_else(|error| panic!("{}", error.render(false)))
}

fn rows() -> Dataset {
    Dataset::from_csv_bytes("rows.csv", ROWS.into()).expect("a header")
}

fn config(simulations: usize) -> CalibrateConfig {
    let mut fit = FitConfig::default().max_steps(10);
    fit.engine.draws = 0;
    CalibrateConfig { simulations, fit, ..CalibrateConfig::default() }
}

fn altered(alter: &(dyn Fn(&mut [f64]) + Sync)) -> Calibration {
    let mut progress = |_| ControlFlow::Continue(());
    let found = calibrate_with(&model(GAUSSIAN), &rows(), &config(150), &mut progress, alter);
    found.unwrap_or_else(|error| panic!("{error}"))
}

fn mean(draws: &[f64]) -> f64 {
    draws.iter().sum::<f64>() / draws.len() as f64
}

#[test]
fn exact_posteriors_are_calibrated() {
    let found = altered(&|_| {});
    assert_eq!(found.reasons(), Vec::<String>::new(), "{:?}", found.quantities());
    let names: Vec<&str> = found.quantities().iter().map(|q| q.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "z (g = 1)", "z (g = 3)", "z (g = 4)"]);
    assert_eq!((found.believable().len(), found.n_failed()), (150, 0));
    assert_eq!(found.ranks_csv().lines().count(), 151);
}

#[test]
fn narrow_wide_and_shifted_posteriors_are_not() {
    let scaled = |factor: f64| {
        move |draws: &mut [f64]| {
            let mean = mean(draws);
            draws.iter_mut().for_each(|draw| *draw = mean + factor * (*draw - mean));
        }
    };
    for (found, how) in [
        (altered(&scaled(0.7)), "too narrow"),
        (altered(&scaled(1.6)), "too wide"),
        (altered(&|draws| draws.iter_mut().for_each(|draw| *draw += 0.3)), "too high"),
    ] {
        let reasons = found.reasons();
        assert!(reasons.iter().any(|reason| reason.ends_with(how)), "{how}: {reasons:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_ranks_on_any_number_of_threads() {
    let ranks = |threads: usize| {
        let mut config = config(5);
        config.fit = config.fit.threads(threads);
        let mut progress = |_| ControlFlow::Continue(());
        calibrate(&model(GAUSSIAN), &rows(), &config, &mut progress).expect("it runs").ranks_csv()
    };
    assert_eq!(ranks(1), ranks(3));
}

#[test]
fn what_was_done_before_a_stop_counts() {
    let mut config = config(50);
    config.fit = config.fit.threads(1);
    let mut progress = |step: super::CalibrateStep| match step.done {
        4 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let found = calibrate(&model(GAUSSIAN), &rows(), &config, &mut progress).expect("four");
    assert!(found.is_interrupted());
    assert_eq!(found.believable().len(), 4);
}

#[test]
fn what_cannot_be_drawn_is_refused_by_name() {
    let refusal = |text: &str| {
        let mut progress = |_| ControlFlow::Continue(());
        match calibrate(&model(text), &rows(), &config(1), &mut progress) {
            Err(CalibrateError::Simulate(SimulateError::Statement { message, .. })) => message,
            other => panic!("{:?}", other.map(|found| found.reasons())),
        }
    };
    let with = |data: &str, globals: &str, locals: &str| {
        format!(
            "// allow: flat-prior
             data {{ branch g {{ rows N; vector[N] x; vector[N] y; {data} }} }}
             global {{ real b ~ normal(0, 1); {globals} }}
             local {{ real z ~ normal(0, 1); {locals} }}"
        )
    };
    let flat = refusal(&with("", "real a;", "y ~ normal(z + a + b * x, 1);"));
    assert!(flat.starts_with("`a` has no prior"), "{flat}");
    let term = refusal(&with("", "", "target += normal_lpdf(y | z + b * x, 1);"));
    assert!(term.contains("no distribution of outcomes"), "{term}");
    let other = refusal(&with("vector[N] w = y - x;", "", "y ~ normal(z + b * w, 1);"));
    assert!(other.starts_with("`y` cannot be drawn anew"), "{other}");
}
