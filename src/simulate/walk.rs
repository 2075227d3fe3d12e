//! Statements run one by one, on numbers.

mod sample;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::SimulateError;
use crate::check::typed::{ExprId, ExprKind, Statement, SymbolId, SymbolKind, TypedModel};
use crate::data::BoundData;
use crate::ir::eval::{Env, evaluate};
use crate::ir::op::InputKind;
use crate::lower::{Expression, expression};
use crate::model::{CompiledModel, Point, size_of};
use crate::random::{Purpose, Stream};
use crate::ty::{Level, Size};

type Result<T> = std::result::Result<T, SimulateError>;

/// The state of a simulation.
pub struct Walk<'a> {
    model: &'a TypedModel,
    data: &'a BoundData,
    /// Whether unknowns are given rather than drawn.
    is_given: bool,
    /// Whether what has no draw becomes NaN rather than an error.
    lenient: bool,
    seed: u64,
    /// Columns that are drawn, by their places in the schema: their values so far in the branch at
    /// hand. Several threads draw single branches of many, so that no more is held.
    drawn: BTreeMap<usize, Vec<f64>>,
    /// Those of them whose cells are drawn where they are empty alone.
    kept: Vec<usize>,
    /// The value of each name of `global`, row-major.
    of_global: Arc<HashMap<SymbolId, Vec<f64>>>,
    /// The value of each other name, row-major, in the branch at hand.
    values: HashMap<SymbolId, Vec<f64>>,
    /// Expressions as functions, made when first met.
    functions: HashMap<ExprId, Arc<Expression>>,
    stream: Stream,
    branch: usize,
}

impl<'a> Walk<'a> {
    pub fn new(model: &'a CompiledModel, data: &'a BoundData, seed: u64, drawn: &[usize]) -> Self {
        Walk {
            model: model.typed(),
            data,
            is_given: false,
            lenient: false,
            seed,
            drawn: drawn.iter().map(|&datum| (datum, Vec::new())).collect(),
            kept: Vec::new(),
            of_global: Arc::default(),
            values: HashMap::new(),
            functions: HashMap::new(),
            stream: Stream::new(seed, Purpose::Simulate, 0, 0, 0),
            branch: 0,
        }
    }

    /// Runs the whole model, with unknowns as given or drawn; gives these, and the values of the
    /// columns that were drawn.
    pub fn run(&mut self, given: Option<&Point>) -> Result<(Point, BTreeMap<usize, Vec<f64>>)> {
        let model = self.model;
        let mut point = Point::default();
        let mut drawn: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        self.is_given = given.is_some();
        self.of_global = Arc::new(self.globals(given.map(|point| &point.globals))?);
        point.globals = self.gather(&model.globals);
        for branch in 0..self.data.n_branches() {
            self.branch = branch;
            self.stream = Stream::new(self.seed, Purpose::Simulate, 0, branch, 1);
            self.values.clear();
            self.empty(Level::Branch);
            self.give(&model.locals, given.map(|point| &point.locals[branch]));
            self.statements(&model.local)?;
            self.require_drawn(&model.locals)?;
            point.locals.push(self.gather(&model.locals));
            for (&datum, values) in &self.drawn {
                if self.level(datum) == Level::Branch {
                    drawn.entry(datum).or_default().extend_from_slice(values);
                }
            }
        }
        let whole = std::mem::take(&mut self.drawn).into_iter();
        drawn.extend(whole.filter(|(datum, _)| self.level(*datum) == Level::Whole));
        Ok((point, drawn))
    }

    /// The names of `global` and their values, where the unknowns are these or are drawn.
    pub fn globals(&mut self, given: Option<&Vec<f64>>) -> Result<HashMap<SymbolId, Vec<f64>>> {
        let model = self.model;
        self.of_global = Arc::default();
        self.values.clear();
        self.empty(Level::Whole);
        self.give(&model.globals, given);
        self.statements(&model.global)?;
        self.require_drawn(&model.globals)?;
        Ok(std::mem::take(&mut self.values))
    }

    /// From here on unknowns are given, and what has no draw is NaN.
    pub fn with_unknowns_given(mut self) -> Self {
        (self.is_given, self.lenient) = (true, true);
        self
    }

    /// From here on these data, which are drawn, keep their values where they have any, so that what
    /// reads them is drawn given these.
    pub fn keeping(mut self, kept: &[usize]) -> Self {
        self.kept = kept.to_vec();
        self
    }

    /// Draws the outcomes of one branch for one draw of the unknowns, numbered `draw`: see
    /// [`Walk::drawn_of_branch`].
    pub fn branch(
        &mut self,
        branch: usize,
        draw: usize,
        of_global: &Arc<HashMap<SymbolId, Vec<f64>>>,
        locals: &Vec<f64>,
    ) -> Result<()> {
        let model = self.model;
        self.branch = branch;
        self.stream = Stream::new(self.seed, Purpose::Simulate, 1, branch, draw);
        self.of_global = Arc::clone(of_global);
        self.values.clear();
        self.empty(Level::Whole);
        self.empty(Level::Branch);
        self.give(&model.locals, Some(locals));
        self.statements(&model.local)
    }

    /// Takes out what was drawn of whole data, or of the data of the branch before, and makes room
    /// for those of the branch at hand.
    fn empty(&mut self, level: Level) {
        let mut drawn = std::mem::take(&mut self.drawn);
        for (&datum, values) in drawn.iter_mut().filter(|(datum, _)| self.level(**datum) == level) {
            let is_kept = self.kept.contains(&datum);
            let value = |at: usize| match is_kept && !self.data.is_empty_cell(datum, at) {
                true => self.data.values(datum)[at],
                false => f64::NAN,
            };
            values.clear();
            values.extend(self.range(datum).map(value));
        }
        self.drawn = drawn;
    }

    fn level(&self, datum: usize) -> Level {
        self.data.schema().data[datum].level
    }

    /// The values of a drawn datum in the branch at hand.
    pub fn drawn_of_branch(&self, datum: usize) -> &[f64] {
        &self.drawn[&datum]
    }

    fn give(&mut self, unknowns: &[SymbolId], values: Option<&Vec<f64>>) {
        let Some(mut rest) = values.map(Vec::as_slice) else { return };
        for &symbol in unknowns {
            let (own, after) = rest.split_at(self.length(symbol));
            self.values.insert(symbol, own.to_vec());
            rest = after;
        }
    }

    fn gather(&self, unknowns: &[SymbolId]) -> Vec<f64> {
        unknowns.iter().flat_map(|&symbol| self.value(symbol).iter().copied()).collect()
    }

    fn require_drawn(&self, unknowns: &[SymbolId]) -> Result<()> {
        let missing = unknowns.iter().find(|&&s| self.value(s).iter().any(|x| x.is_nan()));
        missing.map_or(Ok(()), |&symbol| self.undrawn(symbol))
    }

    fn undrawn<T>(&self, symbol: SymbolId) -> Result<T> {
        let symbol = &self.model.symbols[symbol];
        let message = format!(
            "`{}` has no value to go on with: it is drawn where it stands left of `~`, above what \
             reads it; give its values with `--at`, or give it a distribution there",
            symbol.name
        );
        Err(SimulateError::Statement { message, span: symbol.span })
    }

    fn statements(&mut self, statements: &[Statement]) -> Result<()> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Result<()> {
        match statement {
            Statement::Unknown(symbol) => {
                let length = self.length(*symbol);
                self.values.entry(*symbol).or_insert_with(|| vec![f64::NAN; length]);
            }
            Statement::Declare { symbol, value } => {
                let length = self.length(*symbol);
                let value = value.map(|value| self.eval(value)).transpose()?;
                let value = value.unwrap_or_else(|| vec![f64::NAN; length]);
                self.values.insert(*symbol, spread(value, length));
            }
            Statement::Assign { symbol, subscripts, value } => {
                self.assign(*symbol, subscripts, *value)?;
            }
            Statement::Sample { lhs, distribution, args, .. } => {
                self.sample(*lhs, distribution, args)?;
            }
            Statement::Target { drawn: Some((lhs, value)), .. } => self.sample_own(*lhs, *value)?,
            Statement::Target { .. } => {}
            Statement::For { symbol, from, to, body, .. } => {
                let (from, to) = (self.eval(*from)?[0], self.eval(*to)?[0]);
                let mut k = from;
                while k <= to {
                    self.values.insert(*symbol, vec![k]);
                    self.statements(body)?;
                    k += 1.0;
                }
            }
            Statement::If { condition, then, otherwise } => {
                let holds = self.eval(*condition)?[0] != 0.0;
                self.statements(if holds { then } else { otherwise })?;
            }
            Statement::Block(statements) => self.statements(statements)?,
        }
        Ok(())
    }

    fn assign(
        &mut self,
        symbol: SymbolId,
        subscripts: &[Option<ExprId>],
        value: ExprId,
    ) -> Result<()> {
        let value = self.eval(value)?;
        let dims = self.dims(symbol);
        let mut places = vec![0];
        for (axis, &size) in dims.iter().enumerate() {
            let along: Vec<usize> = match subscripts.get(axis) {
                Some(Some(index)) => vec![self.eval(*index)?[0] as usize - 1],
                _ => (0..size).collect(),
            };
            places = places.iter().flat_map(|p| along.iter().map(move |k| p * size + k)).collect();
        }
        let value = spread(value, places.len());
        let current = self.values.get_mut(&symbol).expect("declarations come first");
        for (place, value) in places.into_iter().zip(value) {
            current[place] = value;
        }
        Ok(())
    }

    /// The value of an expression, row-major.
    fn eval(&mut self, root: ExprId) -> Result<Vec<f64>> {
        let model = self.model;
        if let ExprKind::Inline(statements, value) = &model.exprs[root].kind {
            self.statements(statements)?;
            return self.eval(*value);
        }
        let function = match self.functions.get(&root) {
            Some(known) => known.clone(),
            None => {
                let made = Arc::new(expression(model, root));
                self.functions.insert(root, made.clone());
                made
            }
        };
        let mut randoms = Vec::with_capacity(function.randoms.len());
        for &random in &function.randoms {
            randoms.push(self.random(random)?);
        }
        let symbols: Vec<&[f64]> =
            function.symbols.iter().map(|&symbol| self.value(symbol)).collect();
        for (values, &symbol) in symbols.iter().zip(&function.symbols) {
            let is_unknown = matches!(model.symbols[symbol].kind, SymbolKind::Unknown { .. });
            if is_unknown && values.iter().any(|x| x.is_nan()) {
                return self.undrawn(symbol);
            }
        }
        let input = |kind: InputKind| match kind {
            InputKind::Captured(k) => symbols[k],
            InputKind::Carried(k) => randoms[k].as_slice(),
            _ => unreachable!("single expressions read names and random numbers"),
        };
        let inputs = function.function.inputs.iter().map(|i| input(i.kind)).collect();
        let n_rows = self.n_rows();
        let sizes = |atom: &_| size_of(atom, self.data, n_rows);
        Ok(evaluate(&function.function, &Env { inputs, sizes: &sizes }).remove(0))
    }

    /// One outcome of `normal_rng(…)`.
    fn random(&mut self, id: ExprId) -> Result<Vec<f64>> {
        let ExprKind::Random(distribution, args) = &self.model.exprs[id].kind else {
            unreachable!("random numbers are expressions of this kind")
        };
        let args = args.iter().map(|&arg| self.eval(arg)).collect::<Result<Vec<_>>>()?;
        let dims = self.model.exprs[id].ty.dims();
        let mut outcome = vec![0.0; dims.iter().map(|size| self.extent(size)).product()];
        let own: Vec<&[f64]> = args.iter().map(Vec::as_slice).collect();
        (distribution.sample)(&mut self.stream, &own, &mut outcome);
        Ok(outcome)
    }

    /// The value of a name now.
    fn value(&self, symbol: SymbolId) -> &[f64] {
        let own = self.values.get(&symbol);
        if let Some(values) = own.or_else(|| self.of_global.get(&symbol)) {
            return values;
        }
        let SymbolKind::Datum(datum) = self.model.symbols[symbol].kind else {
            unreachable!("what is read was declared before")
        };
        match self.drawn.get(&datum) {
            Some(values) => values,
            None => &self.data.values(datum)[self.range(datum)],
        }
    }

    /// Where the values of a datum lie, in the branch at hand.
    fn range(&self, datum: usize) -> std::ops::Range<usize> {
        let declared = &self.data.schema().data[datum];
        let inner = self.data.inner(datum);
        if declared.per_row {
            let rows = self.data.rows(self.branch);
            return rows.start * inner..rows.end * inner;
        }
        match declared.level {
            Level::Branch => self.branch * inner..(self.branch + 1) * inner,
            Level::Whole => 0..self.data.values(datum).len(),
        }
    }

    fn dims(&self, symbol: SymbolId) -> Vec<usize> {
        self.model.symbols[symbol].ty.dims().iter().map(|size| self.extent(size)).collect()
    }

    fn length(&self, symbol: SymbolId) -> usize {
        self.dims(symbol).iter().product()
    }

    fn n_rows(&self) -> usize {
        if self.data.n_branches() == 0 { 0 } else { self.data.rows(self.branch).len() }
    }

    fn extent(&self, size: &Size) -> usize {
        let n_rows = self.n_rows();
        let value = size.evaluate(&mut |atom| size_of(atom, self.data, n_rows));
        usize::try_from(value.expect("sizes were checked when data were bound")).unwrap_or(0)
    }
}

/// One number stands for as many equal ones.
fn spread(value: Vec<f64>, length: usize) -> Vec<f64> {
    match value.len() {
        1 if length != 1 => vec![value[0]; length],
        _ => value,
    }
}
