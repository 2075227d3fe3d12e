//! The models the tests fit, over [`super::glmm`], with their data.

use std::sync::Arc;

use super::glmm::{Glmm, Likelihood, Model, Prior, Row, Source};
use crate::random::{Purpose, Stream};

/// Effect and standard error of eight schools (Rubin 1981).
const SCHOOLS: [[f64; 2]; 8] = [
    [28.0, 15.0],
    [8.0, 10.0],
    [-3.0, 16.0],
    [7.0, 11.0],
    [-1.0, 9.0],
    [1.0, 11.0],
    [18.0, 10.0],
    [12.0, 18.0],
];

/// Germinated, sown, seed type, root extract of 21 plates (BUGS examples, volume 1).
const SEEDS: [[f64; 4]; 21] = [
    [10.0, 39.0, 0.0, 0.0],
    [23.0, 62.0, 0.0, 0.0],
    [23.0, 81.0, 0.0, 0.0],
    [26.0, 51.0, 0.0, 0.0],
    [17.0, 39.0, 0.0, 0.0],
    [5.0, 6.0, 0.0, 1.0],
    [53.0, 74.0, 0.0, 1.0],
    [55.0, 72.0, 0.0, 1.0],
    [32.0, 51.0, 0.0, 1.0],
    [46.0, 79.0, 0.0, 1.0],
    [10.0, 13.0, 0.0, 1.0],
    [8.0, 16.0, 1.0, 0.0],
    [10.0, 30.0, 1.0, 0.0],
    [8.0, 28.0, 1.0, 0.0],
    [23.0, 45.0, 1.0, 0.0],
    [0.0, 4.0, 1.0, 0.0],
    [3.0, 12.0, 1.0, 1.0],
    [22.0, 41.0, 1.0, 1.0],
    [15.0, 30.0, 1.0, 1.0],
    [32.0, 51.0, 1.0, 1.0],
    [3.0, 7.0, 1.0, 1.0],
];

/// Weights of 30 rats on days 8, 15, 22, 29 and 36 (BUGS examples, volume 1).
const RATS: [[f64; 5]; 30] = [
    [151.0, 199.0, 246.0, 283.0, 320.0],
    [145.0, 199.0, 249.0, 293.0, 354.0],
    [147.0, 214.0, 263.0, 312.0, 328.0],
    [155.0, 200.0, 237.0, 272.0, 297.0],
    [135.0, 188.0, 230.0, 280.0, 323.0],
    [159.0, 210.0, 252.0, 298.0, 331.0],
    [141.0, 189.0, 231.0, 275.0, 305.0],
    [159.0, 201.0, 248.0, 297.0, 338.0],
    [177.0, 236.0, 285.0, 350.0, 376.0],
    [134.0, 182.0, 220.0, 260.0, 296.0],
    [160.0, 208.0, 261.0, 313.0, 352.0],
    [143.0, 188.0, 220.0, 273.0, 314.0],
    [154.0, 200.0, 244.0, 289.0, 325.0],
    [171.0, 221.0, 270.0, 326.0, 358.0],
    [163.0, 216.0, 242.0, 281.0, 312.0],
    [160.0, 207.0, 248.0, 288.0, 324.0],
    [142.0, 187.0, 234.0, 280.0, 316.0],
    [156.0, 203.0, 243.0, 283.0, 317.0],
    [157.0, 212.0, 259.0, 307.0, 336.0],
    [152.0, 203.0, 246.0, 286.0, 321.0],
    [154.0, 205.0, 253.0, 298.0, 334.0],
    [139.0, 190.0, 225.0, 267.0, 302.0],
    [146.0, 191.0, 229.0, 272.0, 302.0],
    [157.0, 211.0, 250.0, 285.0, 323.0],
    [132.0, 185.0, 237.0, 286.0, 331.0],
    [160.0, 207.0, 257.0, 303.0, 345.0],
    [169.0, 216.0, 261.0, 295.0, 333.0],
    [157.0, 205.0, 248.0, 289.0, 316.0],
    [137.0, 180.0, 219.0, 258.0, 291.0],
    [153.0, 200.0, 244.0, 286.0, 324.0],
];

/// θ = (mu, log tau).
pub fn eight_schools() -> Glmm {
    let row = |&[y, size]: &[f64; 2]| vec![Row { x: vec![1.0], w: vec![], y, size }];
    Glmm(Arc::new(Model {
        n_local: 1,
        likelihood: Likelihood::NormalKnown,
        priors: vec![Prior::Normal(5.0), Prior::HalfCauchy(5.0)],
        sources: vec![Source::Theta(0), Source::Theta(1)],
        branches: SCHOOLS.iter().map(row).collect(),
        held_out: vec![],
    }))
}

/// θ = (alpha0, alpha1, alpha2, alpha12, log sigma).
pub fn seeds() -> Glmm {
    let row = |&[y, size, a, b]: &[f64; 4]| {
        vec![Row { x: vec![1.0], w: vec![1.0, a, b, a * b], y, size }]
    };
    let mut sources = vec![Source::Constant(0.0), Source::Theta(4)];
    sources.extend((0..4).map(Source::Theta));
    let mut priors = vec![Prior::Normal(1.0); 4];
    priors.push(Prior::HalfCauchy(1.0));
    Glmm(Arc::new(Model {
        n_local: 1,
        likelihood: Likelihood::Binomial,
        priors,
        sources,
        branches: SEEDS.iter().map(row).collect(),
        held_out: vec![],
    }))
}

/// θ = (mu_alpha, mu_beta, log sigma_alpha, log sigma_beta, log sigma_y); weights times `unit`.
pub fn rats(unit: f64) -> Glmm {
    let branch = |weights: &[f64; 5]| {
        let row = |(k, &weight): (usize, &f64)| Row {
            x: vec![1.0, 7.0 * k as f64 - 14.0],
            w: vec![],
            y: weight * unit,
            size: 0.0,
        };
        weights.iter().enumerate().map(row).collect()
    };
    let wide = Prior::Normal(100.0 * unit);
    let flat = Prior::FlatPositive;
    Glmm(Arc::new(Model {
        n_local: 2,
        likelihood: Likelihood::Normal,
        priors: vec![wide, wide, flat, flat, flat],
        sources: (0..5).map(Source::Theta).collect(),
        branches: RATS.iter().map(branch).collect(),
        held_out: vec![],
    }))
}

/// z_j ~ N(μ_j, τ_j), y ~ Bernoulli(logit⁻¹ xᵀz), with simulated data of sd 0.7 around 0.3;
/// every fifth branch keeps but three rows.
pub fn logistic(n_branches: usize, n_rows: usize, n_local: usize) -> Glmm {
    let mut branches = vec![];
    let mut held_out = vec![];
    for branch in 0..n_branches {
        let mut stream = Stream::new(5, Purpose::Simulate, 0, branch, 0);
        let z: Vec<f64> = (0..n_local).map(|_| 0.3 + 0.7 * stream.normal()).collect();
        let mut row = || {
            let x: Vec<f64> = (0..n_local).map(|_| stream.normal()).collect();
            let eta: f64 = x.iter().zip(&z).map(|(x, z)| x * z).sum();
            let y = f64::from(u8::from(stream.uniform() < 1.0 / (1.0 + (-eta).exp())));
            Row { x, w: vec![], y, size: 1.0 }
        };
        let count = if branch % 5 == 4 { 3 } else { n_rows };
        branches.push((0..count).map(|_| row()).collect());
        held_out.push((0..2).map(|_| row()).collect());
    }
    let mut priors = vec![Prior::Normal(3.0); n_local];
    priors.extend(vec![Prior::HalfCauchy(2.0); n_local]);
    Glmm(Arc::new(Model {
        n_local,
        likelihood: Likelihood::Binomial,
        priors,
        sources: (0..2 * n_local).map(Source::Theta).collect(),
        branches,
        held_out,
    }))
}

/// The conjugate model of [`crate::infer::conjugate`].
pub fn conjugate(n_branches: usize, n_rows: usize, n_local: usize) -> Glmm {
    let data = crate::infer::conjugate::Conjugate::generate(n_branches, n_rows, n_local);
    let row = |(x, &y): (&[f64], &f64)| Row { x: x.to_vec(), w: vec![], y, size: 1.0 };
    let mut sources: Vec<Source> = (0..n_local).map(Source::Theta).collect();
    sources.extend(vec![Source::Constant(0.0); n_local]);
    let branch = |i: usize| data.x[i].chunks_exact(n_local).zip(&data.y[i]).map(row).collect();
    Glmm(Arc::new(Model {
        n_local,
        likelihood: Likelihood::NormalKnown,
        priors: vec![Prior::Normal(1.0); n_local],
        sources,
        branches: (0..n_branches).map(branch).collect(),
        held_out: vec![],
    }))
}
