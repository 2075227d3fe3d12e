//! Locals in units of their own population: z = m + s ε, with m and s globals.

use anyhow::{Context, Result, bail};
use hbdc::{Evaluator, ParamLayout};

/// Elements of a local that are sampled as ε, with z = m(θ) + s(θ) ε.
///
/// Everything is unconstrained: m is an element of θ (or zero), log s is one. So a mean on the
/// whole line and a scale with `lower=0` are meant, or whatever has these as its unconstrained
/// values.
#[derive(Clone, Debug)]
pub struct Scale {
    elements: Vec<Element>,
}

#[derive(Clone, Copy, Debug)]
struct Element {
    /// Place in zᵢ.
    local: usize,
    /// Place of m in θ; none: zero.
    mean: Option<usize>,
    /// Place of log s in θ.
    log_scale: usize,
}

impl Scale {
    /// `LOCAL=MEAN,SCALE`; each a name, or one element `name[2]`. Vectors go element by element.
    pub fn parse(typed: &str, evaluator: &Evaluator) -> Result<Scale> {
        let (local, rest) = typed.split_once('=').context("--scale LOCAL=MEAN,SCALE")?;
        let (mean, scale) = rest.split_once(',').context("--scale LOCAL=MEAN,SCALE")?;
        let locals = places(evaluator.local_layout(), local)?;
        let globals = evaluator.global_layout();
        let scales = places(globals, scale)?;
        let means = match mean {
            "0" => vec![None; locals.len()],
            _ => places(globals, mean)?.into_iter().map(Some).collect(),
        };
        if means.len() != locals.len() || scales.len() != locals.len() {
            bail!("--scale {typed}: {local}, {mean} and {scale} differ in length");
        }
        let pairs = locals.into_iter().zip(means).zip(scales);
        let element = |((local, mean), log_scale)| Element { local, mean, log_scale };
        Ok(Scale { elements: pairs.map(element).collect() })
    }

    /// Turns the ε of one branch into z.
    pub fn apply(&self, theta: &[f64], z: &mut [f64]) {
        for element in &self.elements {
            let mean = element.mean.map_or(0.0, |at| theta[at]);
            z[element.local] = mean + theta[element.log_scale].exp() * z[element.local];
        }
    }

    /// Turns a gradient in z into one in ε, adds to that in θ, and gives log |∂z/∂ε|. `epsilon`
    /// holds what [`Scale::apply`] was given.
    pub fn pull_back(
        &self,
        theta: &[f64],
        epsilon: &[f64],
        of_z: &mut [f64],
        of_theta: &mut [f64],
    ) -> f64 {
        let mut log_jacobian = 0.0;
        for element in &self.elements {
            let log_scale = theta[element.log_scale];
            let slope = of_z[element.local];
            if let Some(at) = element.mean {
                of_theta[at] += slope;
            }
            let scaled = slope * log_scale.exp();
            of_theta[element.log_scale] += scaled * epsilon[element.local] + 1.0;
            of_z[element.local] = scaled;
            log_jacobian += log_scale;
        }
        log_jacobian
    }
}

/// Where the elements of a variable lie.
fn places(layout: &ParamLayout, typed: &str) -> Result<Vec<usize>> {
    let (name, index) = match typed.strip_suffix(']').and_then(|t| t.split_once('[')) {
        Some((name, index)) => (name, Some(index.parse::<usize>()?)),
        None => (typed, None),
    };
    let variable = layout.variables().iter().find(|variable| variable.name == name);
    let range = variable.with_context(|| format!("there is no {name}"))?.range.clone();
    match index {
        None => Ok(range.collect()),
        Some(k) if (1..=range.len()).contains(&k) => Ok(vec![range.start + k - 1]),
        Some(k) => bail!("{name} has no element {k}"),
    }
}
