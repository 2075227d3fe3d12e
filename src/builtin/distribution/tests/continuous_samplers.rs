//! Samplers of continuous distributions against probabilities computed by scipy
//! (`tests/oracle/continuous_samplers.py`): Pearson's chi-square of 20 000 draws over up to 20 cells.
//!
//! Each setting is tested at the level `10⁻⁴ / settings`, so that all of them together have a
//! false-alarm rate of at most 10⁻⁴ over seeds.

use super::*;
use crate::random::{Purpose, Stream};

const SAMPLERS: &str = include_str!("../../../../tests/oracle/continuous_samplers.csv");
const N_DRAWS: usize = 20_000;

#[test]
fn draws_have_the_right_distribution() {
    let mut faults = Vec::new();
    for (position, line) in SAMPLERS.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        let numbers = |text: &str| -> Vec<f64> {
            text.split_whitespace().map(|x| x.parse().expect("a number")).collect()
        };
        let (arguments, cuts, chances) =
            (numbers(fields[1]), numbers(fields[2]), numbers(fields[3]));
        let critical = numbers(fields[4])[0];
        let sample = distribution(fields[0]).expect("known").sample;
        let arguments: Vec<&[f64]> = arguments.iter().map(std::slice::from_ref).collect();
        let mut stream = Stream::new(11, Purpose::Simulate, position, 0, 0);
        let mut counts = vec![0.0; chances.len()];
        for _ in 0..N_DRAWS {
            let mut draw = [0.0];
            sample(&mut stream, &arguments, &mut draw);
            assert!(!draw[0].is_nan(), "{line}");
            counts[cuts.iter().filter(|cut| **cut < draw[0]).count()] += 1.0;
        }
        let terms = counts.iter().zip(&chances).map(|(count, chance): (&f64, &f64)| {
            let expected = N_DRAWS as f64 * chance;
            (count - expected).powi(2) / expected
        });
        let statistic: f64 = terms.sum();
        if statistic > critical {
            faults.push(format!("{} {}: {statistic}, not below {critical}", fields[0], fields[1]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every distribution over real numbers is tested with several settings.
#[test]
fn every_continuous_sampler_is_tested() {
    for distribution in ALL {
        if let Outcome::Univariate(Element::Real, _) = distribution.outcome {
            let name = format!("{},", distribution.name);
            let settings = SAMPLERS.lines().filter(|line| line.starts_with(&name)).count();
            let enough = if distribution.params.is_empty() { 1 } else { 3 };
            assert!(settings >= enough, "{name} {settings} settings");
        }
    }
}

/// A scale or shape that is none is not drawn with.
#[test]
fn arguments_outside_their_domain_give_nan() {
    for distribution in ALL {
        let Outcome::Univariate(Element::Real, _) = distribution.outcome else { continue };
        let sample = distribution.sample;
        for (k, param) in distribution.params.iter().enumerate() {
            if param.kind != ParamKind::Positive {
                continue;
            }
            for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
                let mut arguments: Vec<[f64; 1]> = vec![[2.0]; distribution.params.len()];
                arguments[k] = [wrong];
                let arguments: Vec<&[f64]> = arguments.iter().map(|x| x.as_slice()).collect();
                let mut draw = [0.0];
                let mut stream = Stream::new(1, Purpose::Simulate, 0, 0, 0);
                sample(&mut stream, &arguments, &mut draw);
                assert!(draw[0].is_nan(), "{} {}: {wrong}", distribution.name, param.name);
            }
        }
    }
}
