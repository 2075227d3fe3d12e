//! The guide at the end of the start phase.

use super::config::{Coupling, Covariance, Encoder, Family, FitConfig};
use super::elbo::{self, Guide};
use super::encoded::{self, EncodedGuide};
use super::expanded::ExpandedGuide;
use super::fit::FitError;
use super::free::FreeGuide;
use super::global::GlobalGuide;
use super::local::LocalGuide;
use super::network::Network;
use super::optimise::Optimiser;
use super::plan::Plan;
use super::shards::Shards;
use super::site::{Site, n_inputs};
use super::site_guide::FreeSites;
use super::start;
use super::worker::LocalWorker;
use crate::target::Target;

/// The guide at the end of the start phase.
pub fn guide<T: Target>(
    shards: &mut Shards<T>,
    plan: &Plan,
    config: &FitConfig,
    run: &Optimiser,
) -> Result<Guide, FitError> {
    refuse_unavailable(config)?;
    let half = config.max_seconds.map(|seconds| 0.4 * seconds);
    let stopped = shards.stop();
    let mut stop = || stopped.is_set() || half.is_some_and(|limit| run.seconds() > limit);
    let start = start::search(
        shards,
        &plan.coarse_branches,
        &plan.start_branches,
        plan.n_branches,
        &plan.pattern,
        plan.newton.is_some(),
        &mut stop,
    )
    .ok_or(FitError::NoStart)?;
    let order = plan.pattern.order.clone();
    let global = match config.covariance() {
        Covariance::Prior => GlobalGuide::new(start.centre, order, start.scale).shaped(),
        Covariance::Diagonal => GlobalGuide::independent(start.centre, order, &start.scale),
        _ => GlobalGuide::new(start.centre, order, start.scale),
    };
    let (shared, _) = elbo::shared_at(shards.target(), &global.mean());
    let all: Vec<usize> = (0..plan.n_branches).collect();
    let branches = match config.family {
        Family::Amortized => &plan.start_branches,
        Family::Branch | Family::Joint => &all,
    };
    let sites = sites(shards, branches, &shared);
    let (n_local, n_global) = (shards.target().n_local(), global.n());
    let local = match config.family {
        Family::Amortized if config.encoder != Encoder::Newton => {
            encoded(shards, plan, config, n_global, &sites)?
        }
        Family::Amortized => {
            let with_rows = sites.into_iter().flatten().filter(|site| site.has_rows);
            let examples: Vec<_> = with_rows.map(|site| site.inputs).collect();
            let n = n_inputs(shards.target());
            let form = config.linear_form(n_local, n_global);
            let network = Network::new(n, n_local, form.is_none(), &examples, config.seed);
            match form {
                Some(form) => LocalGuide::Expanded(ExpandedGuide::new(form, network)),
                None => LocalGuide::Amortized(Some(network)),
            }
        }
        Family::Branch | Family::Joint => free(shards, config, n_global, &shared, &sites),
    };
    Ok(Guide { global, local, samples: plan.importance_samples })
}

/// Newton's sites of branches, for the θ behind `shared`.
pub fn sites<T: Target>(
    shards: &mut Shards<T>,
    branches: &[usize],
    shared: &[f64],
) -> Vec<Option<Site>> {
    let newton = LocalGuide::Amortized(None);
    let parts = shards.map(branches, |target, shard| {
        let mut worker = LocalWorker::new(&newton, target);
        let site = |&branch: &usize| {
            let open = worker.open(target, branch, shared, None);
            if open { worker.site().cloned() } else { None }
        };
        shard.iter().map(site).collect::<Vec<_>>()
    });
    parts.into_iter().flatten().collect()
}

/// Free parameters for every branch, at its site.
fn free<T: Target>(
    shards: &mut Shards<T>,
    config: &FitConfig,
    n_global: usize,
    shared: &[f64],
    sites: &[Option<Site>],
) -> LocalGuide {
    let target = shards.target();
    let Some(form) = config.linear_form(target.n_local(), n_global) else {
        let mut free = FreeSites::new(target.n_local());
        for (branch, site) in sites.iter().enumerate() {
            free.push(target, branch, shared, site.as_ref());
        }
        return LocalGuide::Sites(free);
    };
    LocalGuide::Branch(FreeGuide::new(form, sites))
}

/// What an encoder of rows computes, from random weights.
fn encoded<T: Target>(
    shards: &mut Shards<T>,
    plan: &Plan,
    config: &FitConfig,
    n_global: usize,
    sites: &[Option<Site>],
) -> Result<LocalGuide, FitError> {
    let target = shards.target();
    let form = config.linear_form(target.n_local(), n_global);
    let sites: Vec<Site> = sites.iter().flatten().filter(|site| site.has_rows).cloned().collect();
    let network = match config.encoder {
        Encoder::Pooled => encoded::Network::Pooled,
        Encoder::Sites | Encoder::Newton => encoded::Network::Sites,
    };
    let (examples, seed) = (&plan.start_branches, config.seed);
    let guide = EncodedGuide::new(target, network, form, examples, &sites, seed);
    guide.map(LocalGuide::Encoded).ok_or_else(|| {
        let why = "this encoder reads rows, and the model has no data that it could read";
        FitError::Unsupported(why.to_string())
    })
}

/// An error for what no guide is there for.
fn refuse_unavailable(config: &FitConfig) -> Result<(), FitError> {
    let refuse = |why: String| Err(FitError::Unsupported(why));
    let (family, covariance, encoder) = (config.family, config.covariance(), config.encoder);
    if (family, encoder) == (Family::Amortized, Encoder::Sites) && covariance != Covariance::Prior {
        return refuse(
            "sites are factors beside the prior: they go with covariance prior alone".to_owned(),
        );
    }
    if family != Family::Amortized && encoder != Encoder::Newton {
        return refuse(
            "an encoder computes the parameters of branches from their rows: it goes with family amortized \
             alone, the others have parameters of their own for each branch"
                .to_owned(),
        );
    }
    if family == Family::Joint && covariance == Covariance::Prior {
        return refuse("a joint Gaussian has no prior times site: family branch has".to_owned());
    }
    if family == Family::Joint && config.importance_samples > 1 {
        return refuse(
            "a joint Gaussian has no draws of single branches to weigh: --importance-samples goes with \
             the families amortized and branch"
                .to_owned(),
        );
    }
    let Some(coupling) = config.coupling else { return Ok(()) };
    if covariance != Covariance::Dense {
        return refuse("a coupling is part of a dense covariance alone".to_owned());
    }
    match (family, coupling) {
        (Family::Joint, _) => refuse("a joint Gaussian has no coupling of its own".to_owned()),
        (Family::Amortized, Coupling::Noise) if encoder == Encoder::Newton => refuse(
            "the coupling that Newton computes is held as that with theta: the noise form is for \
             family branch"
                .to_owned(),
        ),
        _ => Ok(()),
    }
}
