//! From a [`TypedModel`] to functions. It cannot fail: the checker said that the model has a
//! meaning.
//!
//! A block is walked statement by statement with an environment from names to values. Inside
//! a `for` the walk goes on in the body of an IR loop: names assigned there are carried, those
//! only read are captured.

mod density;
mod expr;
mod frame;
mod free;
mod hoist;
mod inverse;
mod region;
mod statement;
mod unknown;

pub(crate) use hoist::is_costly;

use frame::{Frame, Name};
use free::Free;
pub use free::{Expression, expression};

use crate::builtin::transform::Transform;
use crate::check::typed::{Constraint, Part, SymbolId, SymbolKind, TypedModel};
use crate::ir::build::Builder;
use crate::ir::op::{Function, InputKind, ValueId, ValueType};
use crate::source::Span;
use crate::ty::{Element, Role, Size};

/// The functions of a model.
#[derive(Clone, Debug)]
pub struct Program {
    /// Derived data, in an order in which each reads only earlier ones.
    pub data: Vec<DataFunction>,
    /// `global`: constrained globals and derived quantities, then log p(θ), then the
    /// log-Jacobian, of the unconstrained globals; last, what branches would each compute of them.
    pub global: Function,
    /// What the first outputs of `global` are.
    pub global_values: Vec<Quantity>,
    /// Which outputs of `global` branches read: the `Shared` inputs, in order; what the author's
    /// local block reads, then what was hoisted out of it.
    pub shared: Vec<usize>,
    /// Unconstrained globals of constrained ones, given as `Global` inputs.
    pub unconstrain_global: Function,
    /// `local`: log p(zᵢ|θ), the log-Jacobian, log p(yᵢ|θ,zᵢ), then constrained locals and
    /// derived quantities.
    pub local: Function,
    /// What the later outputs of `local` are.
    pub local_values: Vec<Quantity>,
    /// Unconstrained locals of constrained ones, given as `Local` inputs.
    pub unconstrain_local: Function,
    /// Lengths of the unconstrained globals' and locals' vectors, one for each unknown.
    pub global_lengths: Vec<Size>,
    /// See `global_lengths`.
    pub local_lengths: Vec<Size>,
    /// Data-dependent indices of `global` and `local`, to be proved when data are bound.
    pub global_indices: IndexChecks,
    /// See `global_indices`.
    pub local_indices: IndexChecks,
}

/// A datum that is computed.
#[derive(Clone, Debug)]
pub struct DataFunction {
    /// Its place in the schema.
    pub datum: usize,
    /// Its one output is the datum: for the whole data, or for one branch.
    pub function: Function,
    /// The indices it uses.
    pub indices: IndexChecks,
}

/// A reported variable.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// The author's name.
    pub name: String,
    /// Its dimensions.
    pub dims: Vec<Size>,
    /// Whether it is an unknown rather than derived.
    pub is_unknown: bool,
    /// Whether it is reported.
    pub is_saved: bool,
    /// Whether it is a Cholesky factor, whose upper triangle says nothing.
    pub is_cholesky_factor: bool,
}

/// A function that finds the first index out of range: its outputs are the number of the
/// site (0 where there is none, else counted from one), and the index that was wrong there.
#[derive(Clone, Debug)]
pub struct IndexChecks {
    /// The function; it reads data alone.
    pub function: Function,
    /// The places where indices stand.
    pub sites: Vec<IndexSite>,
}

/// A place where an index stands.
#[derive(Clone, Debug)]
pub struct IndexSite {
    /// The variable that is indexed, in the author's words.
    pub variable: String,
    /// The dimension that the index must stay within.
    pub size: Size,
    /// The index expression.
    pub span: Span,
}

/// All functions of a model. With `mask`, likelihood terms of rows are weighted by the
/// `RowMask` input, so that rows can be held out.
pub fn lower(model: &TypedModel, mask: bool) -> Program {
    let data = lower_data(model);
    let mut shared = Vec::new();
    let (mut local, local_values, local_indices) = lower_local(model, mask, &mut shared);
    let unconstrain_local = unconstrain(model, Role::Local, &mut shared);
    let (mut global, global_values, symbols, global_indices) = lower_global(model);
    let position = |symbol: &SymbolId| {
        symbols.iter().position(|s| s == symbol).expect("shared values are global quantities")
    };
    let mut shared: Vec<usize> = shared.iter().map(position).collect();
    let is_whole = |kind| match kind {
        InputKind::Datum(k) => {
            let datum = &model.schema.data[k];
            datum.level == crate::ty::Level::Whole && !datum.per_row
        }
        _ => false,
    };
    local = inverse::with_inverses(&local, &is_whole);
    hoist::hoist(&mut local, &mut global, &mut shared, &is_whole);
    Program {
        data,
        shared,
        global,
        global_values,
        unconstrain_global: unconstrain(model, Role::Global, &mut Vec::new()),
        local,
        local_values,
        unconstrain_local,
        global_lengths: lengths(model, &model.globals),
        local_lengths: lengths(model, &model.locals),
        global_indices,
        local_indices,
    }
}

fn lengths(model: &TypedModel, unknowns: &[SymbolId]) -> Vec<Size> {
    let length = |symbol: &SymbolId| {
        let product = |a: Size, b: &Size| a.checked_mul(b).expect("sizes were checked");
        unconstrained_dims(model, *symbol).iter().fold(Size::constant(1), product)
    };
    unknowns.iter().map(length).collect()
}

/// The dimensions of the unconstrained form of an unknown.
fn unconstrained_dims(model: &TypedModel, symbol: SymbolId) -> Vec<Size> {
    let symbol = &model.symbols[symbol];
    let dims = symbol.ty.dims();
    match &symbol.kind {
        SymbolKind::Unknown { constraint, .. } => {
            without_bounds(constraint).unconstrained_dims(&dims)
        }
        _ => dims,
    }
}

/// The transform of a constraint, bounds aside: they change no dimensions.
fn without_bounds(constraint: &Constraint) -> Transform {
    match constraint {
        Constraint::None
        | Constraint::Lower(_)
        | Constraint::Upper(_)
        | Constraint::LowerUpper(..) => Transform::Identity,
        Constraint::CholeskyFactorCorr => Transform::CholeskyFactorCorr,
        Constraint::Simplex => Transform::Simplex,
        Constraint::Ordered => Transform::Ordered,
        Constraint::PositiveOrdered => Transform::PositiveOrdered,
        Constraint::CovMatrix => Transform::CovMatrix,
    }
}

/// The walk through one block.
struct Lowerer<'m> {
    model: &'m TypedModel,
    /// The function, then the bodies of the loops that the walk is inside of.
    frames: Vec<Frame>,
    /// Whether rows can be held out.
    mask: bool,
    /// Globals that the local block has read so far.
    shared: Vec<SymbolId>,
    /// The block that is walked: what unknowns mean there.
    block: Role,
    /// Whether unknowns are given constrained.
    is_constrained: bool,
    /// Index expressions met so far.
    sites: Vec<IndexSite>,
    /// Loop variables that run exactly from one to a size.
    full_ranges: Vec<(SymbolId, Size)>,
    /// How many `?:` were met.
    n_choices: usize,
    /// Where every name is an input: those met so far, and the random numbers met so far.
    free: Option<Free>,
}

impl<'m> Lowerer<'m> {
    fn new(model: &'m TypedModel, name: &str, block: Role) -> Self {
        Lowerer {
            model,
            frames: vec![Frame::new(Builder::new(name))],
            mask: false,
            shared: Vec::new(),
            block,
            is_constrained: false,
            sites: Vec::new(),
            full_ranges: Vec::new(),
            n_choices: 0,
            free: None,
        }
    }

    /// The innermost builder.
    fn b(&mut self) -> &mut Builder {
        &mut self.frames.last_mut().expect("the walk is inside a function").builder
    }

    /// The transform of an unknown, with the values of its bounds.
    fn transform(&mut self, constraint: &Constraint) -> Transform {
        match constraint {
            Constraint::None => Transform::Identity,
            Constraint::Lower(lower) => Transform::Lower(self.expr(*lower)),
            Constraint::Upper(upper) => Transform::Upper(self.expr(*upper)),
            Constraint::LowerUpper(lower, upper) => {
                Transform::LowerUpper(self.expr(*lower), self.expr(*upper))
            }
            unbounded => without_bounds(unbounded),
        }
    }

    /// Declares the input of an unknown of this block.
    fn unknown_input(&mut self, symbol: SymbolId) -> ValueId {
        let model = self.model;
        let declared = &model.symbols[symbol];
        let SymbolKind::Unknown { role, position, .. } = declared.kind else {
            unreachable!("called on unknowns alone")
        };
        let kind = match role {
            Role::Local => InputKind::Local(position),
            _ => InputKind::Global(position),
        };
        let dims = match self.is_constrained {
            true => declared.ty.dims(),
            false => unconstrained_dims(model, symbol),
        };
        self.b().input(kind, &declared.name, ValueType::reals(dims))
    }

    /// The checks of the indices met, and the function without them.
    fn finish(mut self, name: &str) -> (Function, IndexChecks) {
        let site = self.lookup(Name::BadSite);
        let index = self.lookup(Name::BadIndex);
        let builder = self.frames.pop().expect("one function").builder;
        let n_outputs = builder.function().outputs.len();
        let mut builder = builder;
        builder.output("site", site);
        builder.output("index", index);
        let all = builder.into_function();
        let kept: Vec<usize> = (0..n_outputs).collect();
        let checks = crate::ir::build::extract(
            &all,
            &[n_outputs, n_outputs + 1],
            &format!("{name} indices"),
        );
        let function = crate::ir::build::extract(&all, &kept, name);
        (function, IndexChecks { function: checks, sites: self.sites })
    }
}

fn lower_data(model: &TypedModel) -> Vec<DataFunction> {
    let lower_one = |derived: &crate::check::typed::DerivedDatum| {
        let datum = &model.schema.data[derived.datum];
        let mut l = Lowerer::new(model, &datum.name, Role::Data);
        let value = l.expr(derived.value);
        // A scalar expression may stand for a container of equal elements.
        let value = match l.b().rank(value) {
            0 if !datum.dims.is_empty() => l.b().broadcast(value, &[], &datum.dims),
            _ => value,
        };
        l.b().output(datum.name.clone(), value);
        let (function, indices) = l.finish(&datum.name);
        DataFunction { datum: derived.datum, function, indices }
    };
    model.derived_data.iter().map(lower_one).collect()
}

/// Unknowns and saved or shared quantities of a block, in order of declaration.
fn quantities(model: &TypedModel, role: Role) -> Vec<SymbolId> {
    let belongs = |kind: &SymbolKind| match kind {
        SymbolKind::Unknown { role: of, .. } => *of == role,
        SymbolKind::Derived { block, .. } => *block == role,
        _ => false,
    };
    model.symbols.iter().filter(|(_, symbol)| belongs(&symbol.kind)).map(|(id, _)| id).collect()
}

fn quantity(model: &TypedModel, id: SymbolId) -> Quantity {
    let symbol = &model.symbols[id];
    let (is_unknown, is_saved, is_cholesky_factor) = match &symbol.kind {
        SymbolKind::Unknown { constraint, .. } => {
            (true, true, *constraint == Constraint::CholeskyFactorCorr)
        }
        SymbolKind::Derived { saved, .. } => (false, *saved, false),
        _ => unreachable!("only unknowns and derived quantities are reported"),
    };
    let (name, dims) = (symbol.name.clone(), symbol.ty.dims());
    Quantity { name, dims, is_unknown, is_saved, is_cholesky_factor }
}

fn lower_global(model: &TypedModel) -> (Function, Vec<Quantity>, Vec<SymbolId>, IndexChecks) {
    let mut l = Lowerer::new(model, "global", Role::Global);
    l.statements(&model.global);
    let symbols = quantities(model, Role::Global);
    for &symbol in &symbols {
        let value = l.lookup(Name::Symbol(symbol));
        l.b().output(model.symbols[symbol].name.clone(), value);
    }
    let log_prior = l.lookup(Name::Term(Part::Global));
    let jacobian = l.lookup(Name::Jacobian);
    l.b().output("log_prior", log_prior);
    l.b().output("log_jacobian", jacobian);
    let values = symbols.iter().map(|&id| quantity(model, id)).collect();
    let (function, indices) = l.finish("global");
    (function, values, symbols, indices)
}

fn lower_local(
    model: &TypedModel,
    mask: bool,
    shared: &mut Vec<SymbolId>,
) -> (Function, Vec<Quantity>, IndexChecks) {
    let mut l = Lowerer::new(model, "local", Role::Local);
    l.mask = mask;
    l.shared = std::mem::take(shared);
    l.statements(&model.local);
    let prior = l.lookup(Name::Term(Part::Prior));
    let jacobian = l.lookup(Name::Jacobian);
    let likelihood = l.lookup(Name::Term(Part::Likelihood));
    l.b().output("log_prior", prior);
    l.b().output("log_jacobian", jacobian);
    l.b().output("log_likelihood", likelihood);
    let symbols: Vec<SymbolId> = quantities(model, Role::Local)
        .into_iter()
        .filter(|&id| quantity(model, id).is_saved)
        .collect();
    for &symbol in &symbols {
        let value = l.lookup(Name::Symbol(symbol));
        l.b().output(model.symbols[symbol].name.clone(), value);
    }
    *shared = std::mem::take(&mut l.shared);
    let values = symbols.iter().map(|&id| quantity(model, id)).collect();
    let (function, indices) = l.finish("local");
    (function, values, indices)
}

/// The density as a function of constrained unknowns, without Jacobians.
pub struct Constrained {
    /// Of constrained globals: the shared values, then log p(θ).
    pub global: Function,
    /// Of constrained locals and shared values: log p(zᵢ|θ) + log p(yᵢ|θ,zᵢ).
    pub local: Function,
}

/// The density of a model as a function of constrained unknowns. Shared values are those of
/// [`Program::shared`].
pub fn constrained(model: &TypedModel) -> Constrained {
    let mut shared = Vec::new();
    lower_local(model, false, &mut shared);
    unconstrain(model, Role::Local, &mut shared);
    let mut l = Lowerer::new(model, "local", Role::Local);
    l.is_constrained = true;
    l.shared = shared;
    l.statements(&model.local);
    let prior = l.lookup(Name::Term(Part::Prior));
    let likelihood = l.lookup(Name::Term(Part::Likelihood));
    let total = l.b().add(prior, likelihood);
    l.b().output("log_local", total);
    let shared = std::mem::take(&mut l.shared);
    let (local, _) = l.finish("local");

    let mut l = Lowerer::new(model, "global", Role::Global);
    l.is_constrained = true;
    l.statements(&model.global);
    for symbol in shared {
        let value = l.lookup(Name::Symbol(symbol));
        l.b().output(model.symbols[symbol].name.clone(), value);
    }
    let log_prior = l.lookup(Name::Term(Part::Global));
    l.b().output("log_global", log_prior);
    let (global, _) = l.finish("global");
    Constrained { global, local }
}

/// The function from constrained unknowns to unconstrained ones.
fn unconstrain(model: &TypedModel, role: Role, shared: &mut Vec<SymbolId>) -> Function {
    let (name, unknowns, statements) = match role {
        Role::Local => ("unconstrain local", &model.locals, &model.local),
        _ => ("unconstrain global", &model.globals, &model.global),
    };
    let mut l = Lowerer::new(model, name, role);
    l.is_constrained = true;
    l.shared = std::mem::take(shared);
    l.statements(statements);
    for &symbol in unknowns {
        let SymbolKind::Unknown { constraint, .. } = model.symbols[symbol].kind.clone() else {
            unreachable!("unknowns are unknowns")
        };
        let x = l.unknown_input(symbol);
        let transform = l.transform(&constraint);
        let y = l.unconstrain(transform, x);
        l.b().output(model.symbols[symbol].name.clone(), y);
    }
    *shared = std::mem::take(&mut l.shared);
    let all: Vec<usize> = (0..unknowns.len()).collect();
    let builder = l.frames.pop().expect("one function").builder;
    crate::ir::build::extract(builder.function(), &all, name)
}

/// An `Int` scalar type for indices and counts.
fn int_type() -> ValueType {
    ValueType { element: Element::Int, dims: Vec::new() }
}
