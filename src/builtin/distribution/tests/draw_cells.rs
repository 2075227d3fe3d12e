//! Draws of counts, categories, vectors and factors against the probabilities of cells
//! (`tests/oracle/draw_cells.py`): chi-square tests that together raise a false alarm with
//! probability 1e-4.

use super::*;
use crate::random::Purpose;

const CELLS: &str = include_str!("../../../../tests/oracle/draw_cells.csv");
const DRAWS: usize = 20_000;

/// A line of the table.
struct Sorting {
    name: String,
    length: usize,
    arguments: Vec<Vec<f64>>,
    statistic: String,
    /// Upper ends of all cells but the last.
    ends: Vec<f64>,
    probabilities: Vec<f64>,
    threshold: f64,
}

fn sortings() -> impl Iterator<Item = Sorting> {
    CELLS.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        Sorting {
            name: fields[0].to_string(),
            length: numbers(fields[1])[0] as usize,
            arguments: fields[2].split(';').map(numbers).collect(),
            statistic: fields[3].to_string(),
            ends: numbers(fields[4]),
            probabilities: numbers(fields[5]),
            threshold: numbers(fields[6])[0],
        }
    })
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|number| number.parse().expect("a number")).collect()
}

impl Sorting {
    fn sampler(&self) -> Sampler {
        distribution(&self.name).expect("known").sample
    }

    /// The statistic of a draw, as the script describes it.
    fn statistic(&self, draw: &[f64]) -> f64 {
        let (word, rest) = self.statistic.split_once(' ').unwrap_or((&self.statistic, ""));
        let rest = numbers(rest);
        let places = || (rest[0] as usize, rest[1] as usize);
        match word {
            "value" => draw[0],
            "combination" => draw.iter().zip(&rest).map(|(x, weight)| x * weight).sum(),
            "share" => {
                let (i, j) = places();
                draw[i] / (draw[i] + draw[j])
            }
            "distance" => squared_distance(draw, &self.arguments[0], &self.arguments[1]),
            "correlation" => {
                let (i, j) = places();
                let n = draw.len().isqrt();
                (0..n).map(|k| draw[i * n + k] * draw[j * n + k]).sum()
            }
            other => panic!("no statistic `{other}`"),
        }
    }
}

/// `|w|²` where `factor · w = x - loc`.
fn squared_distance(x: &[f64], loc: &[f64], factor: &[f64]) -> f64 {
    let n = x.len();
    let mut w: Vec<f64> = Vec::new();
    for i in 0..n {
        let known: f64 = (0..i).map(|j| factor[i * n + j] * w[j]).sum();
        w.push((x[i] - loc[i] - known) / factor[i * n + i]);
    }
    w.iter().map(|v| v * v).sum()
}

#[test]
fn draws_fall_into_cells_as_often_as_they_should() {
    let mut faults = Vec::new();
    for (line, sorting) in sortings().enumerate() {
        let mut stream = Stream::new(2026, Purpose::Simulate, line, 0, 0);
        let arguments: Vec<&[f64]> = sorting.arguments.iter().map(Vec::as_slice).collect();
        let sample = sorting.sampler();
        let mut draw = vec![0.0; sorting.length];
        let mut counts = vec![0.0; sorting.probabilities.len()];
        for _ in 0..DRAWS {
            sample(&mut stream, &arguments, &mut draw);
            let value = sorting.statistic(&draw);
            assert!(!value.is_nan(), "{} {:?}", sorting.name, sorting.arguments);
            counts[sorting.ends.partition_point(|end| *end < value)] += 1.0;
        }
        let chi_square: f64 = counts
            .iter()
            .zip(&sorting.probabilities)
            .map(|(count, probability)| {
                let expected = probability * DRAWS as f64;
                (count - expected) * (count - expected) / expected
            })
            .sum();
        println!("{} {:?}: {chi_square:.1}", sorting.name, sorting.arguments);
        if chi_square > sorting.threshold {
            let at = (&sorting.arguments, &sorting.statistic);
            faults.push(format!("{} {at:?}: {chi_square} {counts:?}", sorting.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn counts_and_containers_have_samplers_that_are_tested() {
    let tested: Vec<String> = sortings().map(|sorting| sorting.name).collect();
    for distribution in ALL {
        let is_continuous = matches!(distribution.outcome, Outcome::Univariate(Element::Real, _));
        if !is_continuous {
            let count = tested.iter().filter(|name| *name == distribution.name).count();
            assert!(count >= 4, "{} has {count} settings", distribution.name);
        }
    }
}

#[test]
fn what_is_certain_is_drawn() {
    let certain: [(&str, &[&[f64]], f64); 12] = [
        ("bernoulli", &[&[0.0]], 0.0),
        ("bernoulli", &[&[1.0]], 1.0),
        ("bernoulli_logit", &[&[800.0]], 1.0),
        ("binomial", &[&[0.0], &[0.4]], 0.0),
        ("binomial", &[&[7.0], &[0.0]], 0.0),
        ("binomial", &[&[1e9], &[1.0]], 1e9),
        ("binomial_logit", &[&[12.0], &[-800.0]], 0.0),
        ("poisson", &[&[0.0]], 0.0),
        ("poisson_log", &[&[-800.0]], 0.0),
        ("categorical", &[&[0.0, 1.0, 0.0]], 2.0),
        ("categorical_logit", &[&[3.0]], 1.0),
        ("ordered_logistic", &[&[0.3], &[]], 1.0),
    ];
    let mut stream = Stream::new(2, Purpose::Simulate, 0, 0, 0);
    for (name, arguments, expected) in certain {
        let sample = distribution(name).expect("known").sample;
        let mut out = [f64::NAN];
        for _ in 0..100 {
            sample(&mut stream, arguments, &mut out);
            assert_eq!(out[0], expected, "{name} {arguments:?}");
        }
    }
}

#[test]
fn arguments_outside_the_domain_give_nan() {
    let wrong: [(&str, &[&[f64]]); 19] = [
        ("bernoulli", &[&[1.5]]),
        ("bernoulli", &[&[f64::NAN]]),
        ("bernoulli_logit", &[&[f64::NAN]]),
        ("binomial", &[&[-1.0], &[0.5]]),
        ("binomial", &[&[5.0], &[-0.1]]),
        ("binomial_logit", &[&[5.0], &[f64::NAN]]),
        ("beta_binomial", &[&[5.0], &[0.0], &[1.0]]),
        ("beta_binomial", &[&[5.0], &[1.0], &[-1.0]]),
        ("poisson", &[&[-1.0]]),
        ("poisson", &[&[f64::INFINITY]]),
        ("poisson_log", &[&[800.0]]),
        ("neg_binomial", &[&[-1.0], &[1.0]]),
        ("neg_binomial", &[&[1.0], &[0.0]]),
        ("neg_binomial_2", &[&[1.0], &[0.0]]),
        ("neg_binomial_2", &[&[-1.0], &[2.0]]),
        ("neg_binomial_2_log", &[&[0.0], &[f64::NAN]]),
        ("categorical", &[&[0.2, 0.7]]),
        ("categorical", &[&[-0.5, 1.5]]),
        ("ordered_logistic", &[&[0.0], &[1.0, 0.0]]),
    ];
    let mut stream = Stream::new(1, Purpose::Simulate, 0, 0, 0);
    for (name, arguments) in wrong {
        let sample = distribution(name).expect("known").sample;
        let mut out = [0.0];
        sample(&mut stream, arguments, &mut out);
        assert!(out[0].is_nan(), "{name} {arguments:?}: {out:?}");
    }
}
