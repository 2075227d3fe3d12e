//! A model with its data: log densities and their derivatives.

use std::sync::Arc;

use super::CompiledModel;
use super::functions::{Functions, Reading};
use super::kernel::{Arguments, Kernel};
use super::layout::ParamLayout;
use super::prior::CommonPriors;
use super::program::{Adjoint, Kernels};
use crate::codegen::Scratch;
use crate::data::BoundData;
use crate::target::{BranchDensity, Part, RowColumn, Target};

/// Code for one model and one data set, shared, and the work space of one thread.
#[derive(Clone)]
pub struct Evaluator {
    pub(super) kernels: Arc<Kernels>,
    pub(super) out: Vec<f64>,
    pub(super) cotangents: Vec<f64>,
    pub(super) scratch: Scratch,
    pub(super) priors: CommonPriors,
}

/// Why a density cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluateError {
    /// The position has another number of elements than the model has unknowns.
    Length {
        /// Number of unconstrained unknowns, globals and locals of all branches.
        expected: usize,
        /// Number of elements given.
        found: usize,
    },
}

impl std::fmt::Display for EvaluateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EvaluateError::Length { expected, found } => write!(
                f,
                "a position of this model has {expected} elements (globals, then the locals of \
                 each branch), not {found}"
            ),
        }
    }
}

impl std::error::Error for EvaluateError {}

impl Evaluator {
    /// Number of unconstrained unknowns: globals, and the locals of all branches.
    pub fn dimension(&self) -> usize {
        self.n_global() + self.n_branches() * self.n_local()
    }

    /// Where globals lie in θ.
    pub fn global_layout(&self) -> &ParamLayout {
        &self.kernels.layouts.unconstrained_global
    }

    /// Where the locals of a branch lie in zᵢ.
    pub fn local_layout(&self) -> &ParamLayout {
        &self.kernels.layouts.unconstrained_local
    }

    /// Where reported globals lie in the vector of [`Evaluator::reported`].
    pub fn reported_layout(&self) -> &ParamLayout {
        &self.kernels.layouts.reported_global
    }

    /// Where reported locals lie in the vector of [`Evaluator::reported_local`].
    pub fn reported_local_layout(&self) -> &ParamLayout {
        &self.kernels.layouts.reported_local
    }

    /// One weight per bound row, zero for those that are held out; empty where none is.
    pub(crate) fn row_mask(&self) -> &[f64] {
        &self.kernels.mask
    }

    /// The data.
    pub fn data(&self) -> &BoundData {
        &self.kernels.data
    }

    /// Constrained globals and derived quantities at θ.
    pub fn reported(&mut self, theta: &[f64]) -> Vec<f64> {
        let arguments = Arguments { theta, ..Arguments::default() };
        self.call(|k| &k.reported, &arguments);
        self.out.clone()
    }

    /// The constrained unknown globals at each of `count` draws of θ (one row each, perhaps empty).
    pub(crate) fn unknown_globals(&mut self, theta: &[f64], count: usize) -> Vec<Vec<f64>> {
        let (n, layout) = (self.n_global(), self.reported_layout().clone());
        let mut row = |draw: usize| self.reported(&theta[draw * n..(draw + 1) * n]);
        (0..count).map(|draw| layout.unknowns(&row(draw))).collect()
    }

    /// Constrained locals and derived quantities of a branch.
    pub fn reported_local(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> &[f64] {
        let arguments = self.of_branch(branch, shared, z);
        self.call(|k| &k.reported_local, &arguments);
        &self.out
    }

    /// Whether a bound row is not held out.
    pub fn is_fitted(&self, row: usize) -> bool {
        self.kernels.mask.get(row).is_none_or(|&weight| weight != 0.0)
    }

    /// log p(θ) and its log-Jacobian apart.
    pub fn log_prior(&mut self, theta: &[f64], shared: &mut [f64]) -> (f64, f64) {
        let arguments = Arguments { theta, ..Arguments::default() };
        self.call(|k| &k.shared, &arguments);
        let n = shared.len();
        shared.copy_from_slice(&self.out[..n]);
        (self.out[n], self.out[n + 1])
    }

    /// log p(zᵢ|θ), its log-Jacobian and log p(yᵢ|θ,zᵢ) apart.
    pub fn log_local(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> [f64; 3] {
        let arguments = self.of_branch(branch, shared, z);
        self.call(|k| &k.density, &arguments);
        [self.out[0], self.out[1], self.out[2]]
    }

    fn of_branch<'a>(&self, branch: usize, shared: &'a [f64], z: &'a [f64]) -> Arguments<'a> {
        Arguments { z, shared, branch, ..Arguments::default() }
    }

    fn call(&mut self, kernel: fn(&Kernels) -> &Kernel, arguments: &Arguments) {
        let kernels = &*self.kernels;
        let (mask, statistics) = (&kernels.mask, &kernels.statistics);
        let arguments = Arguments { mask, statistics, ..*arguments };
        kernel(kernels).call(&arguments, &kernels.data, &mut self.out, &mut self.scratch);
    }

    fn expand(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    ) {
        let arguments = self.of_branch(branch, shared, z);
        match part {
            Part::Prior => self.call(|k| &k.prior.expansion, &arguments),
            Part::Likelihood => self.call(|k| &k.likelihood.expansion, &arguments),
        }
        gradient.fill(0.0);
        curvature.fill(0.0);
        let n = gradient.len();
        let kernels = self.expansion_kernels(part);
        let mut start = 0;
        for range in &kernels.local_ranges {
            let length = range.len();
            gradient[range.clone()].copy_from_slice(&self.out[start..start + length]);
            start += length;
            let hessian = &self.out[start..start + length * n];
            let rows = &mut curvature[range.start * n..range.end * n];
            rows.iter_mut().zip(hessian).for_each(|(c, h)| *c = -h);
            start += length * n;
        }
    }

    fn expansion_kernels(&self, part: Part) -> &super::program::ExpansionKernels {
        match part {
            Part::Prior => &self.kernels.prior,
            Part::Likelihood => &self.kernels.likelihood,
        }
    }
}

/// What the outputs of the gradient of a branch say: the adjoints of its locals to `dz`, those of
/// shared values times `weight` added to `dshared`, and the density.
pub(super) fn add_adjoints(
    adjoints: &[Adjoint],
    out: &[f64],
    weight: f64,
    dz: &mut [f64],
    dshared: &mut [f64],
) -> BranchDensity {
    dz.fill(0.0);
    for Adjoint { from, to, is_local } in adjoints {
        let part = &out[from.clone()];
        if *is_local {
            dz[to.clone()].copy_from_slice(part);
        } else if let [adjoint] = part {
            dshared[to.start] += weight * adjoint;
        } else {
            let sums = dshared[to.clone()].iter_mut();
            sums.zip(part).for_each(|(sum, adjoint)| *sum += weight * adjoint);
        }
    }
    BranchDensity { prior: out[0] + out[1], likelihood: out[2] }
}

impl Target for Evaluator {
    fn n_branches(&self) -> usize {
        self.kernels.data.n_branches()
    }

    fn n_global(&self) -> usize {
        self.kernels.layouts.unconstrained_global.len()
    }

    fn global_variables(&self) -> Vec<std::ops::Range<usize>> {
        let variables = self.kernels.layouts.unconstrained_global.variables();
        variables.iter().map(|variable| variable.range.clone()).collect()
    }

    fn n_local(&self) -> usize {
        self.kernels.layouts.unconstrained_local.len()
    }

    fn n_shared(&self) -> usize {
        self.kernels.n_shared
    }

    fn n_rows(&self, branch: usize) -> usize {
        let rows = self.kernels.data.rows(branch);
        match self.kernels.mask.is_empty() {
            true => self.kernels.data.n_informed_rows(branch),
            false => self.kernels.mask[rows].iter().filter(|&&weight| weight != 0.0).count(),
        }
    }

    fn branch_features(&self, branch: usize) -> Vec<f64> {
        let data = &self.kernels.data;
        let of = |&(datum, length): &(usize, usize)| {
            data.values(datum)[branch * length..(branch + 1) * length].iter().copied()
        };
        self.kernels.features.iter().flat_map(of).collect()
    }

    fn row_columns(&self) -> &[RowColumn] {
        &self.kernels.row_features.columns
    }

    fn row_features(&self, branch: usize, out: &mut Vec<f64>) {
        let Kernels { row_features, data, mask, .. } = &*self.kernels;
        let is_kept = |row: usize| mask.get(row).is_none_or(|&weight| weight != 0.0);
        row_features.rows(data, branch, is_kept, out);
    }

    fn likelihood_reads_shared(&self) -> bool {
        self.kernels.likelihood.reads_shared
    }

    fn prior_is_gaussian(&self) -> bool {
        self.kernels.prior.is_quadratic
    }

    fn prior_is_common(&self) -> bool {
        self.kernels.prior.is_quadratic && self.kernels.prior.is_common
    }

    fn shared(&mut self, theta: &[f64], shared: &mut [f64]) -> f64 {
        let (log_prior, log_jacobian) = self.log_prior(theta, shared);
        log_prior + log_jacobian
    }

    fn shared_vjp(&mut self, theta: &[f64], adjoint: &[f64], gradient: &mut [f64]) {
        let arguments = Arguments { theta, cotangents: adjoint, ..Arguments::default() };
        self.call(|k| &k.shared_vjp, &arguments);
        gradient.copy_from_slice(&self.out);
    }

    fn density(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> BranchDensity {
        let [prior, jacobian, likelihood] = self.log_local(branch, shared, z);
        BranchDensity { prior: prior + jacobian, likelihood }
    }

    fn gradient(
        &mut self,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        weight: f64,
        dz: &mut [f64],
        dshared: &mut [f64],
    ) -> BranchDensity {
        let arguments = self.of_branch(branch, shared, z);
        self.call(|k| &k.gradient, &arguments);
        add_adjoints(&self.kernels.adjoints, &self.out, weight, dz, dshared)
    }

    fn expansion(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient: &mut [f64],
        curvature: &mut [f64],
    ) {
        if part == Part::Prior && self.prior_is_common() {
            let mut priors = std::mem::take(&mut self.priors);
            let prior = priors.at(shared, z.len(), |zero, gradient, curvature| {
                self.expand(part, branch, shared, zero, gradient, curvature);
            });
            prior.expand(z, gradient, curvature);
            self.priors = priors;
            return;
        }
        self.expand(part, branch, shared, z, gradient, curvature);
    }

    fn expansion_vjp(
        &mut self,
        part: Part,
        branch: usize,
        shared: &[f64],
        z: &[f64],
        gradient_adjoint: &[f64],
        curvature_adjoint: &[f64],
        dshared: &mut [f64],
    ) {
        let n = gradient_adjoint.len();
        let mut cotangents = std::mem::take(&mut self.cotangents);
        cotangents.clear();
        for range in &self.expansion_kernels(part).local_ranges {
            cotangents.extend_from_slice(&gradient_adjoint[range.clone()]);
            let rows = &curvature_adjoint[range.start * n..range.end * n];
            cotangents.extend(rows.iter().map(|adjoint| -adjoint));
        }
        let arguments = Arguments { cotangents: &cotangents, ..self.of_branch(branch, shared, z) };
        match part {
            Part::Prior => self.call(|k| &k.prior.vjp, &arguments),
            Part::Likelihood => self.call(|k| &k.likelihood.vjp, &arguments),
        }
        let kernels = self.expansion_kernels(part);
        let mut start = 0;
        for (&k, &length) in kernels.shared.iter().zip(kernels.vjp.output_lengths()) {
            let sums = dshared[self.kernels.shared_ranges[k].clone()].iter_mut();
            sums.zip(&self.out[start..start + length]).for_each(|(sum, a)| *sum += a);
            start += length;
        }
        self.cotangents = cotangents;
    }

    fn held_out(&mut self, branch: usize, shared: &[f64], z: &[f64]) -> f64 {
        let kernels = &*self.kernels;
        if kernels.held_out.is_empty() {
            return 0.0;
        }
        let mut likelihood = |mask: &[f64]| {
            let arguments = Arguments { mask, shared, z, branch, ..Arguments::default() };
            kernels.density.call(&arguments, &kernels.data, &mut self.out, &mut self.scratch);
            self.out[2]
        };
        let held_out = likelihood(&kernels.held_out);
        // Terms of the branch as a whole are in both.
        held_out - likelihood(&kernels.no_rows)
    }

    fn n_held_out(&self, branch: usize) -> usize {
        let kernels = &*self.kernels;
        match kernels.held_out.is_empty() {
            true => 0,
            false => kernels.data.rows(branch).len() - self.n_rows(branch),
        }
    }
}

impl Evaluator {
    /// The same model on other data of the same shape.
    ///
    /// # Panics
    /// When branches differ in their rows.
    pub(crate) fn with_data(&self, data: BoundData) -> Evaluator {
        let rows = |data: &BoundData| -> Vec<usize> {
            (0..data.n_branches()).map(|branch| data.rows(branch).len()).collect()
        };
        assert_eq!(rows(&data), rows(self.data()), "the data have the shape of those before");
        if let Some(model) = &self.kernels.model {
            let kernels = Kernels::new(model, data, None, Reading::Statistics);
            return Evaluator::new(Arc::new(kernels.expect("sizes are those before")));
        }
        Evaluator::new(Arc::new(Kernels { data, ..Kernels::clone(&self.kernels) }))
    }

    /// The same density of the same data, computed row by row: what one row adds does not go
    /// through statistics of others.
    pub(crate) fn row_by_row(&self) -> Evaluator {
        let Some(model) = &self.kernels.model else { return self.clone() };
        let kernels = Kernels::new(model, self.data().clone(), None, Reading::Data);
        Evaluator::new(Arc::new(kernels.expect("sizes are those before")))
    }

    /// The same code and data with work space of its own, empty.
    pub(super) fn with_own_work_space(&self) -> Evaluator {
        Evaluator::new(self.kernels.clone())
    }

    fn new(kernels: Arc<Kernels>) -> Evaluator {
        Evaluator {
            kernels,
            out: Vec::new(),
            cotangents: Vec::new(),
            scratch: Scratch::default(),
            priors: CommonPriors::default(),
        }
    }
}

impl CompiledModel {
    /// Machine code (or the interpreter) for this model and these data.
    ///
    /// # Errors
    /// When arrays of these sizes do not fit in memory.
    pub fn evaluator(&self, data: &BoundData) -> Result<Evaluator, crate::data::DataError> {
        self.evaluator_with_held_out(data, None)
    }

    /// An evaluator of functions that were made for these data.
    ///
    /// # Errors
    /// As [`CompiledModel::evaluator`].
    pub(super) fn evaluator_of(
        &self,
        functions: Functions,
        data: &BoundData,
    ) -> Result<Evaluator, crate::data::DataError> {
        let kernels = Kernels::compile(self, functions, data.clone(), None)?;
        Ok(Evaluator::new(Arc::new(kernels)))
    }

    /// The same, with the rows of weight zero held out: they are scored, not fitted.
    ///
    /// # Errors
    /// As [`CompiledModel::evaluator`].
    pub fn evaluator_with_held_out(
        &self,
        data: &BoundData,
        mask: Option<Vec<f64>>,
    ) -> Result<Evaluator, crate::data::DataError> {
        let kernels = Arc::new(Kernels::new(self, data.clone(), mask, Reading::Statistics)?);
        Ok(Evaluator::new(kernels))
    }
}
