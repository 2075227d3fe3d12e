//! What is saved of a fit, and its layout in a file.
//!
//! The body of the framed file is the length of a JSON text, that text, and two blocks of
//! little-endian `f64`: weighted draws of θ and their weights, both empty where summaries are
//! those of q(θ) itself. Rows of data are not saved, only where they were read.

use serde::{Deserialize, Serialize};

use crate::data::{Fixed, Provenance};
use crate::fit::{Family, Fit};
use crate::frame::Header;
use crate::infer::elbo::Guide;
use crate::infer::{importance, posterior};
use crate::model::CompiledModel;

/// The kind of the file, and its layout's version.
pub(super) const KIND: [u8; 8] = *b"fit     ";
pub(super) const VERSION: u64 = 2;

/// All that is known of a fit once its data are gone.
#[derive(Clone, Debug)]
pub(super) struct Contents {
    pub(super) facts: Facts,
    /// Weighted draws of θ, one row each.
    theta: Vec<f64>,
    weights: Vec<f64>,
}

/// The part that is JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The version of the program that wrote it.
    hbdc: String,
    pub(super) model_name: String,
    pub(super) model_text: String,
    pub(super) family: Family,
    pub(super) seed: u64,
    /// Draws of the globals behind the summary.
    pub(super) draws: usize,
    pub(super) guide: Guide,
    pub(super) fixed: Fixed,
    pub(super) provenance: Provenance,
    pub(super) n_branches: usize,
    pub(super) n_rows: usize,
    /// The share of whole branches that the fit did not see.
    pub(super) holdout_branches: Option<f64>,
    /// Bound rows that the fit did not see.
    pub(super) held_out: Vec<usize>,
    n_weighted: usize,
}

impl Contents {
    pub(super) fn of(model: &CompiledModel, fit: &Fit) -> Contents {
        let (result, evaluator) = (fit.result(), fit.evaluator());
        let data = evaluator.data();
        let weighted = result.importance.as_ref().filter(|_| result.corrected);
        let (theta, weights) = match weighted {
            Some(importance) => (importance.theta.clone(), importance.weights.clone()),
            None => (Vec::new(), Vec::new()),
        };
        let mask = evaluator.row_mask().iter().enumerate();
        let facts = Facts {
            hbdc: env!("CARGO_PKG_VERSION").to_string(),
            model_name: model.source().name().to_string(),
            model_text: model.source().text().to_string(),
            family: fit.config().family_of(),
            seed: fit.config().seed_of(),
            draws: fit.config().draws,
            guide: result.guide.clone(),
            fixed: Fixed::of(data),
            provenance: data.provenance().clone(),
            n_branches: data.n_branches(),
            n_rows: data.n_rows_total(),
            holdout_branches: fit.config().holdout_branches,
            held_out: mask.filter(|(_, weight)| **weight == 0.0).map(|(row, _)| row).collect(),
            n_weighted: weights.len(),
        };
        Contents { facts, theta, weights }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let json = serde_json::to_vec(&self.facts).expect("names are texts");
        let mut body = Vec::with_capacity(8 + json.len() + 8 * self.theta.len());
        body.extend_from_slice(&(json.len() as u64).to_le_bytes());
        body.extend_from_slice(&json);
        for number in self.theta.iter().chain(&self.weights) {
            body.extend_from_slice(&number.to_le_bytes());
        }
        body
    }

    /// What [`Contents::encode`] wrote; else why it is not that.
    pub(super) fn decode(body: &[u8]) -> Result<Contents, String> {
        let short = || "it is damaged: it ends too early".to_string();
        let (length, rest) = body.split_first_chunk::<8>().ok_or_else(short)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
        let (json, numbers) = rest.split_at_checked(length).ok_or_else(short)?;
        let facts: Facts = serde_json::from_slice(json)
            .map_err(|error| format!("its contents are not those of a fit: {error}"))?;
        let (numbers, odd) = numbers.as_chunks::<8>();
        let numbers: Vec<f64> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        let n_theta = facts.n_weighted.checked_mul(facts.guide.global.n());
        match n_theta.and_then(|n| Some((n, n.checked_add(facts.n_weighted)?))) {
            Some((n_theta, n)) if n == numbers.len() && odd.is_empty() => {
                let weights = numbers[n_theta..].to_vec();
                Ok(Contents { facts, theta: numbers[..n_theta].to_vec(), weights })
            }
            _ => Err("its draws are not as many as it says".to_string()),
        }
    }

    /// `count` draws of θ, one row each, as the fit itself gives them.
    pub(super) fn theta_draws(&self, count: usize, seed: u64) -> Vec<f64> {
        let guide = &self.facts.guide;
        match self.weights.is_empty() {
            true => posterior::global_draws(guide, seed, count),
            false => {
                let n = guide.global.n();
                importance::resample(n, &self.theta, &self.weights, count, seed)
            }
        }
    }
}

pub(super) fn header(model: &CompiledModel, fit: &Fit) -> Header {
    Header {
        kind: KIND,
        version: VERSION,
        model_hash: model.fingerprint(),
        data_hash: fit.evaluator().data().fingerprint(),
        step: fit.steps() as u64,
    }
}
