//! Compiled models, and models with data.

mod bind;
mod condense;
pub mod derivatives;
mod evaluator;
mod features;
mod functions;
mod kernel;
mod layout;
mod memory;
mod passes;
mod point_gradient;
mod points;
mod pointwise;
mod prior;
mod program;
mod rows;
mod statistics;
mod timings;
mod whole;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

pub use bind::Schema;
pub use evaluator::{EvaluateError, Evaluator};
pub(crate) use kernel::size_of;
pub use layout::{ParamLayout, Variable};
pub use point_gradient::PointGradient;
pub use points::{Point, PointDensity, PointError, Points};
pub use timings::Timings;

use crate::check::typed::TypedModel;
use crate::codegen::Listing;
use crate::data::{DataError, SetValue};
use crate::diagnostic::{Diagnostic, Diagnostics, render, to_json};
use crate::lower::Program;
use crate::schema::Datum;
use crate::source::Source;
use crate::{check, ir, lower, syntax};
use derivatives::Derivatives;
use functions::{Functions, Reading, differentiated};

/// How a model is compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompileOptions {
    /// What evaluates it.
    pub backend: Backend,
}

/// What evaluates a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Code made by Cranelift for the data at hand.
    #[default]
    MachineCode,
    /// The reference meaning: slow, and simple enough to be right.
    Interpreter,
}

/// A model that was checked, lowered and differentiated; sizes are still symbolic.
#[derive(Clone)]
pub struct CompiledModel {
    inner: Arc<Compiled>,
}

struct Compiled {
    source: Source,
    typed: TypedModel,
    program: Program,
    /// Once they are asked for: data may call for others.
    derivatives: OnceLock<Derivatives>,
    schema: Schema,
    /// Data whose cells may be empty although the text does not say so.
    may_be_missing: Vec<String>,
    warnings: Vec<Diagnostic>,
    options: CompileOptions,
    timings: Timings,
}

/// Why a model does not compile; printing it shows the places.
#[derive(Clone, Debug)]
pub struct CompileError {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

impl CompileError {
    /// What is wrong, warnings included, in the order of the text.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The same drawn over the text; in colour if wanted.
    pub fn render(&self, color: bool) -> String {
        render(&self.diagnostics, &self.source, color)
    }

    /// One JSON object for each diagnostic.
    pub fn to_json(&self) -> Vec<serde_json::Value> {
        self.diagnostics.iter().map(|d| to_json(d, &self.source)).collect()
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for CompileError {}

/// Compiles a model text.
///
/// # Errors
/// When the text has no meaning; the error holds every diagnostic that was found.
pub fn compile(source: &Source) -> Result<CompiledModel, CompileError> {
    compile_with(source, &CompileOptions::default())
}

/// Compiles a model text in a certain way.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(
    source: &Source,
    options: &CompileOptions,
) -> Result<CompiledModel, CompileError> {
    compile_where(source, options, &[], &[])
}

/// The same; cells of the data of these names may be empty, as if they were declared `missing`,
/// and data of the names in `in_turn` are to be drawn cell after cell.
fn compile_where(
    source: &Source,
    options: &CompileOptions,
    may_be_missing: &[String],
    in_turn: &[String],
) -> Result<CompiledModel, CompileError> {
    let mut diagnostics = Diagnostics::default();
    let mut timings = Timings::default();
    let mut ast = timings.of("parse", || syntax::parse(source, &mut diagnostics));
    if diagnostics.has_errors() {
        return Err(CompileError::new(source, diagnostics));
    }
    ast.data.let_be_missing(may_be_missing);
    let typed = timings.of("check", || check::check(&ast, source, &mut diagnostics));
    let Some(mut typed) = typed.filter(|_| !diagnostics.has_errors()) else {
        return Err(CompileError::new(source, diagnostics));
    };
    let is_in_turn = |(_, datum): &(usize, &Datum)| in_turn.contains(&datum.name);
    let data = typed.schema.data.iter().enumerate();
    typed.schema.drawn_in_turn = data.filter(is_in_turn).map(|(k, _)| k).collect();
    let program = timings.of("lower", || lower::lower(&typed, false));
    let schema = Schema::new(&typed, &program);
    let warnings = diagnostics.into_sorted();
    let (source, options) = (source.clone(), options.clone());
    let may_be_missing = may_be_missing.to_vec();
    let inner = Compiled {
        source,
        typed,
        program,
        derivatives: OnceLock::new(),
        schema,
        may_be_missing,
        warnings,
        options,
        timings,
    };
    Ok(CompiledModel { inner: Arc::new(inner) })
}

/// Every function obeys the rules of its ops; looked at in debug builds alone.
fn debug_verify(program: &Program, derivatives: &Derivatives) {
    if cfg!(debug_assertions) {
        let of_program = [
            &program.global,
            &program.local,
            &program.unconstrain_global,
            &program.unconstrain_local,
        ];
        for function in derivatives.all().into_iter().chain(of_program) {
            if let Err(rule) = ir::verify::verify(function) {
                panic!("{}: {rule}\n{}", function.name, function);
            }
        }
    }
}

impl CompileError {
    fn new(source: &Source, diagnostics: Diagnostics) -> CompileError {
        CompileError { source: source.clone(), diagnostics: diagnostics.into_sorted() }
    }
}

impl CompiledModel {
    /// What the model reads of its data.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &Source {
        &self.inner.source
    }

    /// A hash of the text (FNV-1a of its bytes).
    pub fn fingerprint(&self) -> u64 {
        self.inner.source.text().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// Warnings, in the order of the text.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.inner.warnings
    }

    /// The warnings drawn over the text; in colour if wanted. Empty without warnings.
    pub fn render_warnings(&self, color: bool) -> String {
        match self.inner.warnings.is_empty() {
            true => String::new(),
            false => render(&self.inner.warnings, &self.inner.source, color),
        }
    }

    /// The warnings as JSON objects.
    pub fn warnings_json(&self) -> Vec<serde_json::Value> {
        self.inner.warnings.iter().map(|d| to_json(d, &self.inner.source)).collect()
    }

    /// How long each stage took.
    pub fn timings(&self) -> &Timings {
        &self.inner.timings
    }

    /// How long each stage took up to the first gradient: those of [`CompiledModel::timings`],
    /// then derivatives, with what is computed of the data once, machine code and one gradient at zero, for a few rows made up from the schema.
    /// `settings` are the whole data that the model does not compute.
    ///
    /// # Errors
    /// When whole data are not set or wrong, or made-up rows break a rule of the model.
    pub fn time_first_gradient(
        &self,
        settings: &[(String, SetValue)],
    ) -> Result<Timings, DataError> {
        let data = self.inner.schema.synthetic_data(settings)?;
        let mut timings = self.timings().clone();
        let functions = timings
            .of("differentiate", || Functions::of(self, &data, false, Reading::Statistics))?;
        let mut evaluator = timings.of("code", || self.evaluator_of(functions, &data))?;
        let position = vec![0.0; evaluator.dimension()];
        let gradient = timings.of("gradient", || evaluator.log_density_gradient(&position));
        gradient.expect("the position has the length that the evaluator wants");
        Ok(timings)
    }

    /// The same model, in which cells of the data of these names may be empty. Those of `in_turn`
    /// may then be read too, where empty cells are the last of a branch.
    ///
    /// # Errors
    /// When it cannot be seen where such a cell enters the density.
    pub(crate) fn with_missing(
        &self,
        names: &[String],
        in_turn: &[String],
    ) -> Result<CompiledModel, CompileError> {
        compile_where(&self.inner.source, &self.inner.options, names, in_turn)
    }

    /// Data whose cells may be empty although the text does not say so.
    pub(crate) fn may_be_missing(&self) -> &[String] {
        &self.inner.may_be_missing
    }

    pub(crate) fn options(&self) -> &CompileOptions {
        &self.inner.options
    }

    /// The model's functions; with `mask`, rows can be held out.
    pub(crate) fn program_for(&self, mask: bool) -> Program {
        match mask && self.inner.typed.schema.rows.is_some() {
            true => lower::lower(&self.inner.typed, true),
            false => self.inner.program.clone(),
        }
    }

    /// The derivatives of the model's functions, of all their rows.
    fn derivatives(&self) -> &Derivatives {
        self.inner.derivatives.get_or_init(|| differentiated(&self.inner.program))
    }

    /// The functions of the model as text: `ir` before, `gradient` after differentiation.
    pub fn dump(&self, stage: DumpStage) -> String {
        let program = &self.inner.program;
        let functions: Vec<&ir::op::Function> = match stage {
            DumpStage::Ast => return syntax::print(&self.ast()),
            DumpStage::Ir => {
                let data = program.data.iter().map(|d| &d.function);
                data.chain([&program.global, &program.local]).collect()
            }
            DumpStage::Gradient => self.derivatives().all().to_vec(),
            DumpStage::Work => {
                let (local, once) = condense::in_words(&program.local);
                let program = Program { local, ..program.clone() };
                let functions = differentiated(&program);
                let functions = functions.all().map(crate::codegen::work);
                return format!("{once}\n{}", functions.join("\n"));
            }
        };
        functions.iter().map(|f| f.to_string()).collect::<Vec<_>>().join("\n")
    }

    /// The functions that inference calls on their way to machine code, for a few rows made up
    /// from the schema. `settings` are the whole data that the model does not compute.
    ///
    /// # Errors
    /// When whole data are not set or wrong, or made-up rows break a rule of the model.
    pub fn dump_code(
        &self,
        listing: Listing,
        settings: &[(String, SetValue)],
    ) -> Result<String, DataError> {
        let data = self.inner.schema.synthetic_data(settings)?;
        let functions = self.derivatives().all();
        let text = crate::codegen::listing(&functions, &program::size_table(&data), listing);
        text.map_err(|error| program::data_error(&error))
    }

    /// The checked model.
    pub(crate) fn typed(&self) -> &TypedModel {
        &self.inner.typed
    }

    /// The functions of the model.
    pub(crate) fn program(&self) -> &Program {
        &self.inner.program
    }

    fn ast(&self) -> syntax::ast::Ast {
        syntax::parse(&self.inner.source, &mut Diagnostics::default())
    }
}

/// What [`CompiledModel::dump`] shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpStage {
    /// The tree, printed as text again.
    Ast,
    /// The functions of the model.
    Ir,
    /// These and their derivatives.
    Gradient,
    /// In words, what machine code does for each of these, and what is computed once of the data.
    Work,
}
