//! Laws of whole models, for everything in `models/`: log densities against reference values,
//! derivatives against differences, machine code against the interpreter.

mod condense;
mod data;
mod derivatives;
mod features;
#[path = "../../tests/random/generate.rs"]
mod generate;
mod hoist;
mod part;
mod pointwise;
mod reference;
mod synthetic;
mod whole;

use super::{Backend, CompileOptions, CompiledModel, Evaluator, compile_with};
use crate::codegen::tests::Numbers;
use crate::data::{BoundData, Dataset};
use crate::source::Source;
use crate::target::{Part, Target};

const PARTS: [Part; 2] = [Part::Prior, Part::Likelihood];

/// A model with data, as text.
struct Case {
    name: &'static str,
    model: &'static str,
    csv: String,
    /// Reference log densities, where there are some.
    density: Option<&'static str>,
}

macro_rules! shipped {
    ($name:literal) => {
        Case {
            name: $name,
            model: include_str!(concat!("../../models/", $name, ".hbd")),
            csv: include_str!(concat!("../../models/", $name, ".csv")).to_string(),
            density: Some(include_str!(concat!("../../tests/reference/", $name, "/density.json"))),
        }
    };
}

fn cases() -> Vec<Case> {
    vec![
        shipped!("rats"),
        shipped!("seeds"),
        shipped!("eight_schools"),
        Case {
            name: "ratings",
            model: include_str!("../../models/ratings.hbd"),
            csv: ratings(),
            density: None,
        },
        Case {
            name: "sleepstudy",
            model: include_str!("../../models/sleepstudy.hbd"),
            csv: sleepstudy(),
            density: None,
        },
    ]
}

/// Random models of the whole language, as many as are quickly differentiated twice.
fn random_cases() -> impl Iterator<Item = Case> {
    (1..=25).map(|seed| {
        let generate::Case { model, csv } = generate::case(seed);
        Case { name: "a random model", model: model.leak(), csv, density: None }
    })
}

/// Four users with one to seven ratings of films of 19 genres.
fn ratings() -> String {
    let mut numbers = Numbers(17);
    let genres: Vec<String> = (1..=19).map(|g| format!("g_{g:02}")).collect();
    let mut csv = format!("userId,like,{}\n", genres.join(","));
    for (user, n_rows) in [(1, 1), (2, 5), (3, 7), (4, 3)] {
        for _ in 0..n_rows {
            let flags: Vec<String> = (0..20).map(|_| (numbers.below(10) / 7).to_string()).collect();
            csv.push_str(&format!("{user},{}\n", flags.join(",")));
        }
    }
    csv
}

/// Five people over two to ten days.
fn sleepstudy() -> String {
    let mut numbers = Numbers(23);
    let mut csv = "Subject,Days,Reaction\n".to_string();
    for (person, n_rows) in [(1, 10), (2, 4), (3, 2), (4, 6), (5, 9)] {
        for day in 0..n_rows {
            let reaction = 2.5 + 0.1 * f64::from(day) + 0.2 * numbers.next();
            csv.push_str(&format!("{person},{day},{reaction}\n"));
        }
    }
    csv
}

impl Case {
    fn evaluator(&self, backend: Backend) -> Evaluator {
        self.masked(backend, |_| None)
    }

    fn compiled(&self) -> CompiledModel {
        let source = Source::new(self.name, self.model);
        compile_with(&source, &CompileOptions::default()).expect("it compiles")
    }

    /// With the rows held out that `mask` gives of the data.
    fn masked(
        &self,
        backend: Backend,
        mask: impl FnOnce(&BoundData) -> Option<Vec<f64>>,
    ) -> Evaluator {
        let source = Source::new(self.name, self.model);
        let model = compile_with(&source, &CompileOptions { backend }).expect("it compiles");
        let data = Dataset::from_csv_bytes(self.name, self.csv.clone().into_bytes())
            .expect("a good table")
            .bind(model.schema())
            .expect("data of the model");
        let mask = mask(&data);
        model.evaluator_with_held_out(&data, mask).expect("sizes are small")
    }

    /// Positions in unconstrained space: those of the reference points, where there are some,
    /// and a random one.
    fn positions(&self, evaluator: &mut Evaluator) -> Vec<Vec<f64>> {
        let mut numbers = Numbers(31);
        let n = evaluator.dimension();
        let mut positions: Vec<Vec<f64>> = vec![(0..n).map(|_| 0.4 * numbers.next()).collect()];
        if let Some(density) = self.density {
            let points = evaluator.read_points(density).expect("the reference").points;
            for point in points {
                let theta = evaluator.unconstrain(&point);
                let mut shared = vec![0.0; evaluator.n_shared()];
                evaluator.shared(&theta, &mut shared);
                let mut position = theta;
                for (branch, locals) in point.locals.iter().enumerate() {
                    position.extend(evaluator.unconstrain_local(branch, &shared, locals));
                }
                positions.push(position);
            }
        }
        positions
    }
}

/// A position cut up: shared values and the locals of each branch.
fn cut(evaluator: &mut Evaluator, position: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let (theta, z) = position.split_at(evaluator.n_global());
    let mut shared = vec![0.0; evaluator.n_shared()];
    evaluator.shared(theta, &mut shared);
    (shared, z.chunks(evaluator.n_local()).map(<[f64]>::to_vec).collect())
}

/// Gradient and curvature of a part, one after the other.
fn expansion(
    evaluator: &mut Evaluator,
    part: Part,
    branch: usize,
    shared: &[f64],
    z: &[f64],
) -> Vec<f64> {
    let n = z.len();
    let (mut gradient, mut curvature) = (vec![7.0; n], vec![7.0; n * n]);
    evaluator.expansion(part, branch, shared, z, &mut gradient, &mut curvature);
    [gradient, curvature].concat()
}

/// Whether each element is within a share of the largest, or of one.
fn assert_close(what: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    for (k, (a, b)) in actual.iter().zip(expected).enumerate() {
        let is_close = (a - b).abs() <= tolerance * largest;
        assert!(is_close, "{what}, element {k}: {a:e}, not {b:e} (of up to {largest:e})");
    }
}
