//! The linear forms of the computed guide: Newton's expansion of a branch at the mean of q(θ), to
//! first order in θ.
//!
//! With m, Λ = R Rᵀ and g of [`super::conditional`] at θ̄, and u the whitened θ, ū at θ̄,
//!
//! ```text
//! z = m + R⁻ᵀ w      w = ν + A(u − ū) + exp(t) ε      A = R⁻¹ ∂g/∂u
//! ```
//!
//! since dm/dθ = Λ⁻¹ ∂g/∂θ where g vanishes. ν and t come from the residual network. The block form
//! drops A; the diagonal form moreover whitens by the diagonal of Λ. A is held during a step, as the
//! site is, and written in the Aθ form: with B = A L₀ held instead, the step of L₀ would not see
//! that B follows it, and would not climb the ELBO.

use serde::{Deserialize, Serialize};

use super::conditional::Conditional;
use super::global::GlobalGuide;
use super::linalg::{axpy, dot, solve_lower};
use super::linear::{LinearForm, Whitening};
use super::network::{Activation, Network};
use super::site::Site;
use crate::target::Target;

/// Which form, and the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpandedGuide {
    /// Its L is diagonal whatever the covariance: what the network rescales.
    form: LinearForm,
    /// Whether elements of z are independent.
    independent: bool,
    /// The residual network.
    pub network: Network,
}

impl ExpandedGuide {
    /// The form asked for, with its network.
    pub fn new(form: LinearForm, network: Network) -> Self {
        let independent = form.diagonal;
        Self { form: LinearForm { diagonal: true, ..form }, independent, network }
    }

    /// The form of the parameters that [`Expansion`] holds.
    pub fn form(&self) -> LinearForm {
        self.form
    }
}

/// ∂shared/∂u at the mean of q(θ), one row for each element of `shared`, and ū.
#[derive(Clone, Debug, Default)]
pub struct SharedJacobian {
    rows: Vec<f64>,
    mean: Vec<f64>,
}

impl SharedJacobian {
    /// By one product for each element of `shared`.
    pub fn of<T: Target>(target: &mut T, global: &GlobalGuide) -> Self {
        let (n_shared, theta) = (target.n_shared(), global.mean());
        let mut adjoint = vec![0.0; n_shared];
        let mut prior = vec![0.0; theta.len()];
        // What `shared_vjp` gives includes the gradient of log p(θ).
        target.shared_vjp(&theta, &adjoint, &mut prior);
        let mut rows = Vec::with_capacity(n_shared * theta.len());
        for k in 0..n_shared {
            adjoint[k] = 1.0;
            let mut row = vec![0.0; theta.len()];
            target.shared_vjp(&theta, &adjoint, &mut row);
            adjoint[k] = 0.0;
            axpy(-1.0, &prior, &mut row);
            rows.extend(global.whitened_adjoint(&row));
        }
        Self { rows, mean: global.whitened(&theta) }
    }
}

/// The linear form of one branch.
#[derive(Clone, Debug, Default)]
pub struct Expansion {
    centre: Vec<f64>,
    factor: Vec<f64>,
    /// As the form orders them.
    pub parameters: Vec<f64>,
    /// Of the sampled draws so far, in the parameters.
    pub gradient: Vec<f64>,
}

impl Expansion {
    /// Sets the form of a branch whose expansion at θ̄ is in `conditional`. False where it is not
    /// finite.
    #[allow(clippy::too_many_arguments)]
    pub fn set<T: Target>(
        &mut self,
        guide: &ExpandedGuide,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: &Site,
        conditional: &mut Conditional,
        jacobian: &SharedJacobian,
        activation: &Activation,
    ) -> bool {
        let n = guide.form.n_local;
        self.centre.clear();
        self.centre.extend_from_slice(conditional.mean());
        self.factor.clear();
        let factor = conditional.factor();
        match guide.independent {
            true => {
                let row = |j: usize| &factor[j * n..=j * n + j];
                self.factor.extend((0..n).map(|j| dot(row(j), row(j)).sqrt()));
            }
            false => self.factor.extend_from_slice(factor),
        }
        self.parameters.clear();
        self.parameters.extend_from_slice(activation.nu());
        if guide.form.coupling.is_some() {
            let coupling =
                self.coupling(guide, target, branch, shared, site, conditional, jacobian);
            for (j, row) in coupling.chunks_exact(guide.form.n_global.max(1)).enumerate() {
                self.parameters[j] -= dot(row, &jacobian.mean);
            }
            self.parameters.extend(coupling);
        }
        self.parameters.extend(activation.log_t().iter().map(|t| t.exp()));
        self.gradient.clear();
        self.gradient.resize(self.parameters.len(), 0.0);
        self.parameters.iter().chain(&self.factor).all(|x| x.is_finite())
    }

    /// A, D × G.
    #[allow(clippy::too_many_arguments)]
    fn coupling<T: Target>(
        &self,
        guide: &ExpandedGuide,
        target: &mut T,
        branch: usize,
        shared: &[f64],
        site: &Site,
        conditional: &mut Conditional,
        jacobian: &SharedJacobian,
    ) -> Vec<f64> {
        let (n, g) = (guide.form.n_local, guide.form.n_global);
        let mut coupling = vec![0.0; n * g];
        let mut unit = vec![0.0; n];
        for j in 0..n {
            unit.fill(0.0);
            unit[j] = 1.0;
            let mut of_shared = vec![0.0; shared.len()];
            conditional.gradient_vjp(target, branch, shared, site, &unit, &mut of_shared);
            let row = &mut coupling[j * g..(j + 1) * g];
            for (x, shared_row) in of_shared.iter().zip(jacobian.rows.chunks_exact(g.max(1))) {
                if *x != 0.0 {
                    axpy(*x, shared_row, row);
                }
            }
        }
        for k in 0..g {
            let mut column: Vec<f64> = (0..n).map(|j| coupling[j * g + k]).collect();
            solve_lower(conditional.factor(), n, &mut column);
            (0..n).for_each(|j| coupling[j * g + k] = column[j]);
        }
        coupling
    }

    /// The coordinates of w.
    pub fn whitening(&self) -> Whitening<'_> {
        Whitening { centre: &self.centre, factor: &self.factor }
    }

    /// The adjoints of ν and t.
    pub fn network_adjoint(&self, form: &LinearForm) -> Vec<f64> {
        [&self.gradient[..form.n_local], &self.gradient[form.offsets().1..]].concat()
    }
}
