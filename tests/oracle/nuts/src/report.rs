//! Summaries of the draws, and whether to trust them.

use std::fmt::Write;

use anyhow::Result;
use hbdc::{Evaluator, Variable};
use serde_json::{Value, json};

use crate::diagnostics::{Diagnostics, quantile};
use crate::labels::Labels;
use crate::{Args, Sampled};

/// Above it chains are taken to differ.
const MAX_RHAT: f64 = 1.01;
/// Below it quantiles and standard deviations are too noisy to judge a fit by.
const MIN_ESS: f64 = 1000.0;

/// Summaries of everything that the model reports.
pub struct Report {
    globals: Vec<(String, Scalar)>,
    /// For each element of the locals, one for each branch.
    locals: Vec<(String, Vec<Scalar>)>,
    max_rhat: f64,
    min_ess: f64,
    divergences: usize,
    cut: usize,
}

struct Scalar {
    mean: f64,
    sd: f64,
    quantiles: [f64; 3],
    /// None where it is constant.
    diagnostics: Option<Diagnostics>,
}

impl Scalar {
    fn of(chains: &[Vec<f64>]) -> Scalar {
        let mut sorted: Vec<f64> = chains.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let squares = sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        Scalar {
            mean,
            sd: (squares / (n - 1.0)).sqrt(),
            quantiles: [0.05, 0.5, 0.95].map(|p| quantile(&sorted, p)),
            diagnostics: Diagnostics::of(chains),
        }
    }

    fn json(&self) -> Value {
        let [q5, q50, q95] = self.quantiles.map(rounded);
        let mut json = json!({
            "mean": rounded(self.mean), "sd": rounded(self.sd), "q5": q5, "q50": q50, "q95": q95,
        });
        if let Some(found) = &self.diagnostics {
            json["rhat"] = rounded(found.rhat);
            json["ess_bulk"] = json!(found.ess_bulk.round());
            json["ess_tail"] = json!(found.ess_tail.round());
        }
        json
    }
}

impl Report {
    /// Maps draws to what is reported, element by element.
    pub fn of(
        evaluator: &mut Evaluator,
        chains: &[Sampled],
        exchangeable: &[String],
    ) -> Result<Report> {
        let elements = |variables: &[Variable]| -> Vec<(String, usize)> {
            variables.iter().flat_map(Variable::elements).collect()
        };
        let of_globals = elements(evaluator.reported_layout().variables());
        let of_locals = elements(evaluator.reported_local_layout().variables());
        let n_branches = evaluator.data().n_branches();
        let mut globals = vec![vec![Vec::new(); chains.len()]; of_globals.len()];
        let mut locals = vec![vec![vec![Vec::new(); chains.len()]; n_branches]; of_locals.len()];
        for (c, chain) in chains.iter().enumerate() {
            for position in &chain.positions {
                let point = evaluator.reported_at_position(position)?;
                for (column, (_, at)) in globals.iter_mut().zip(&of_globals) {
                    column[c].push(point.globals[*at]);
                }
                for (columns, (_, at)) in locals.iter_mut().zip(&of_locals) {
                    for (column, values) in columns.iter_mut().zip(&point.locals) {
                        column[c].push(values[*at]);
                    }
                }
            }
        }
        let labels = Labels(exchangeable);
        let means = |globals: &[Vec<Vec<f64>>], c: usize| -> Vec<f64> {
            let mean = |chain: &Vec<f64>| chain.iter().sum::<f64>() / chain.len() as f64;
            globals.iter().map(|chains| mean(&chains[c])).collect()
        };
        let first = means(&globals, 0);
        for c in 1..chains.len() {
            let own = means(&globals, c);
            if let Some(numbers) = labels.nearest(&of_globals, &own, &first) {
                renumber(&mut globals, c, &labels.sources(&of_globals, &numbers));
                let sources = labels.sources(&of_locals, &numbers);
                for branch in 0..n_branches {
                    let mut columns: Vec<Vec<Vec<f64>>> =
                        locals.iter_mut().map(|l| std::mem::take(&mut l[branch])).collect();
                    renumber(&mut columns, c, &sources);
                    locals.iter_mut().zip(columns).for_each(|(l, own)| l[branch] = own);
                }
            }
        }
        let name =
            |((name, _), chains): ((String, usize), Vec<Vec<f64>>)| (name, Scalar::of(&chains));
        let globals: Vec<(String, Scalar)> =
            of_globals.into_iter().zip(globals).map(name).collect();
        let name = |((name, _), branches): ((String, usize), Vec<Vec<Vec<f64>>>)| {
            (name, branches.iter().map(|chains| Scalar::of(chains)).collect())
        };
        let locals: Vec<(String, Vec<Scalar>)> =
            of_locals.into_iter().zip(locals).map(name).collect();
        let of_locals = locals.iter().flat_map(|(_, branches)| branches);
        let all = globals.iter().map(|(_, scalar)| scalar).chain(of_locals);
        let (mut max_rhat, mut min_ess) = (1.0f64, f64::INFINITY);
        for found in all.filter_map(|scalar| scalar.diagnostics) {
            max_rhat = max_rhat.max(found.rhat);
            min_ess = min_ess.min(found.ess_bulk).min(found.ess_tail);
        }
        Ok(Report {
            globals,
            locals,
            max_rhat,
            min_ess,
            divergences: chains.iter().map(|chain| chain.divergences).sum(),
            cut: chains.iter().map(|chain| chain.cut).sum(),
        })
    }

    /// Why not to trust it.
    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.divergences > 0 {
            reasons.push(format!("{} divergent trajectories", self.divergences));
        }
        if self.max_rhat > MAX_RHAT {
            reasons.push(format!("the largest R-hat is {:.3}", self.max_rhat));
        }
        if self.min_ess < MIN_ESS {
            reasons.push(format!("the smallest effective size is {:.0}", self.min_ess));
        }
        reasons
    }

    /// One line for the terminal.
    pub fn headline(&self) -> String {
        let trust = match self.reasons().as_slice() {
            [] => "trusted".to_string(),
            reasons => format!("not trusted: {}", reasons.join("; ")),
        };
        format!(
            "largest R-hat {:.4}, smallest effective size {:.0}, {} divergences: {trust}",
            self.max_rhat, self.min_ess, self.divergences
        )
    }

    /// The file: one line for each element.
    pub fn json(&self, args: &Args, chains: &[Sampled]) -> String {
        let stem = args.model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let reasons = self.reasons();
        let metric = if args.low_rank { "low-rank" } else { "diagonal" };
        let mut head = json!({
            "name": stem,
            "method": format!(
                "NUTS (nuts-rs, {metric} metric, target acceptance {}) on hbdc's log density: {} \
                 chains x ({} warm-up + {} kept), {}; tests/oracle/nuts",
                args.accept,
                args.chains,
                args.warmup,
                args.draws,
                if args.same_start { "one random start" } else { "random starts" },
            ),
            "draws": chains.iter().map(|chain| chain.positions.len()).sum::<usize>(),
            "divergences": self.divergences,
            "cut_trajectories": self.cut,
            "max_rhat": rounded(self.max_rhat),
            "min_ess": self.min_ess.round(),
            "trusted": reasons.is_empty(),
        });
        if !args.scale.is_empty() {
            head["scale"] = json!(args.scale);
        }
        if !args.exchangeable.is_empty() {
            head["exchangeable"] = json!(args.exchangeable);
        }
        if !reasons.is_empty() {
            head["reason"] = json!(reasons.join("; "));
        }
        if let Some(note) = &args.note {
            head["note"] = json!(note);
        }
        let mut text = String::from("{\n");
        for (key, value) in head.as_object().expect("it is one") {
            line(&mut text, " ", key, value, false);
        }
        text.push_str(" \"globals\": {\n");
        for (k, (name, scalar)) in self.globals.iter().enumerate() {
            line(&mut text, "  ", name, &scalar.json(), k + 1 == self.globals.len());
        }
        text.push_str(" },\n \"locals\": {\n");
        for (k, (name, branches)) in self.locals.iter().enumerate() {
            let all = |of: fn(&Scalar) -> f64| -> Value {
                branches.iter().map(|scalar| rounded(of(scalar))).collect()
            };
            let value = json!({ "mean": all(|s| s.mean), "sd": all(|s| s.sd) });
            line(&mut text, "  ", name, &value, k + 1 == self.locals.len());
        }
        text.push_str(" }\n}\n");
        text
    }
}

/// Gives each element the draws that another has in that chain.
fn renumber(columns: &mut [Vec<Vec<f64>>], chain: usize, sources: &[usize]) {
    let old: Vec<Vec<f64>> =
        columns.iter_mut().map(|chains| std::mem::take(&mut chains[chain])).collect();
    for (chains, &source) in columns.iter_mut().zip(sources) {
        chains[chain] = old[source].clone();
    }
}

fn line(text: &mut String, indent: &str, key: &str, value: &Value, is_last: bool) {
    let comma = if is_last { "" } else { "," };
    writeln!(text, "{indent}{}: {value}{comma}", json!(key)).expect("a string takes all");
}

/// To six significant digits.
fn rounded(x: f64) -> Value {
    let digits = format!("{x:.5e}");
    json!(digits.parse::<f64>().expect("it was a number"))
}
