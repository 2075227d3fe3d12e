//! Statements run one by one, on numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::SimulateError;
use super::draw::{Allowed, NoDraw, outcomes};
use super::drawn::base;
use crate::builtin::Distribution;
use crate::check::typed::{
    Constraint, ExprId, ExprKind, Statement, SymbolId, SymbolKind, TypedModel,
};
use crate::data::BoundData;
use crate::ir::eval::{Env, evaluate};
use crate::ir::op::InputKind;
use crate::lower::{Expression, expression};
use crate::model::{CompiledModel, Point, size_of};
use crate::random::{Purpose, Stream};
use crate::ty::{Level, Role, Size};

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
    /// Columns that are drawn, by their places in the schema: their values so far.
    drawn: BTreeMap<usize, Vec<f64>>,
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
        let model = model.typed();
        let empty = |&datum: &usize| {
            let declared = &data.schema().data[datum];
            let units = if declared.per_row { data.n_rows_total() } else { data.n_branches() };
            (datum, vec![f64::NAN; units * data.inner(datum)])
        };
        Walk {
            model,
            data,
            is_given: false,
            lenient: false,
            seed,
            drawn: drawn.iter().map(empty).collect(),
            of_global: Arc::default(),
            values: HashMap::new(),
            functions: HashMap::new(),
            stream: Stream::new(seed, Purpose::Simulate, 0, 0, 0),
            branch: 0,
        }
    }

    /// Runs the whole model, with unknowns as given or drawn; gives these.
    pub fn run(&mut self, given: Option<&Point>) -> Result<Point> {
        let model = self.model;
        let mut point = Point::default();
        self.is_given = given.is_some();
        self.of_global = Arc::new(self.globals(given.map(|point| &point.globals))?);
        point.globals = self.gather(&model.globals);
        for branch in 0..self.data.n_branches() {
            self.branch = branch;
            self.stream = Stream::new(self.seed, Purpose::Simulate, 0, branch, 1);
            self.values.clear();
            self.give(&model.locals, given.map(|point| &point.locals[branch]));
            self.statements(&model.local)?;
            self.require_drawn(&model.locals)?;
            point.locals.push(self.gather(&model.locals));
        }
        Ok(point)
    }

    /// The names of `global` and their values, where the unknowns are these or are drawn.
    pub fn globals(&mut self, given: Option<&Vec<f64>>) -> Result<HashMap<SymbolId, Vec<f64>>> {
        let model = self.model;
        self.of_global = Arc::default();
        self.values.clear();
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
        let drawn: Vec<usize> = self.drawn.keys().copied().collect();
        for datum in drawn {
            let range = self.range(datum);
            self.drawn.get_mut(&datum).expect("it is a key")[range].fill(f64::NAN);
        }
        self.give(&model.locals, Some(locals));
        self.statements(&model.local)
    }

    /// The values of a drawn datum in the branch at hand.
    pub fn drawn_of_branch(&self, datum: usize) -> &[f64] {
        &self.drawn[&datum][self.range(datum)]
    }

    /// The columns that were drawn.
    pub fn into_drawn(self) -> BTreeMap<usize, Vec<f64>> {
        self.drawn
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
            Statement::Target { drawn: Some((lhs, value)), .. } => {
                if let Some((symbol, places)) = self.places(*lhs)? {
                    let value = self.eval(*value)?;
                    self.put(symbol, &places, &spread(value, places.len()));
                }
            }
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

    /// Draws what stands left of `~`, where that is still to be drawn.
    fn sample(
        &mut self,
        lhs: ExprId,
        distribution: &'static Distribution,
        args: &[ExprId],
    ) -> Result<()> {
        let Some((symbol, places)) = self.places(lhs)? else { return Ok(()) };
        let sizes = |l: &Self, id: ExprId, rank: usize| -> usize {
            let dims = l.model.exprs[id].ty.dims();
            dims[dims.len() - rank..].iter().map(|size| l.extent(size)).product()
        };
        let length = sizes(self, lhs, distribution.outcome.rank());
        let n = places.len() / length.max(1);
        let ranks = distribution.params.iter().map(|param| param.kind.rank());
        let lengths: Vec<usize> =
            args.iter().zip(ranks).map(|(&arg, rank)| sizes(self, arg, rank)).collect();
        let args = args.iter().map(|&arg| self.eval(arg)).collect::<Result<Vec<_>>>()?;
        let allowed = self.allowed(symbol, lhs)?;
        let stream = &mut self.stream;
        let drawn = outcomes(distribution, (n, length), &args, &lengths, &allowed, stream);
        let drawn = match drawn {
            Err(NoDraw::Argument | NoDraw::Bounds) if self.lenient => vec![f64::NAN; places.len()],
            Err(why) => return Err(self.no_draw(why, symbol, distribution, &args, lhs)),
            Ok(drawn) => drawn,
        };
        self.put(symbol, &places, &drawn);
        Ok(())
    }

    fn no_draw(
        &self,
        why: NoDraw,
        symbol: SymbolId,
        distribution: &Distribution,
        args: &[Vec<f64>],
        lhs: ExprId,
    ) -> SimulateError {
        let name = &self.model.symbols[symbol].name;
        let law = distribution.name;
        let message = match why {
            NoDraw::Argument if args.iter().flatten().any(|arg| arg.is_nan()) => format!(
                "`{name}` cannot be drawn: an argument of `{law}` is not a number here; perhaps it \
                 reads what is drawn further down, or never"
            ),
            NoDraw::Argument => format!(
                "`{name}` cannot be drawn: an argument of `{law}` is outside its domain here"
            ),
            NoDraw::Bounds => format!(
                "`{name}` cannot be drawn: `{law}` hardly ever falls within its declared bounds"
            ),
            NoDraw::Different => format!(
                "`{name}` cannot be drawn: its elements increase, and `{law}` has different \
                 arguments for them; give its values with `--at`"
            ),
        };
        SimulateError::Statement { message, span: self.model.exprs[lhs].span }
    }

    /// What is to be drawn by a left side, and where its elements lie in it. `None` if it is
    /// given.
    fn places(&mut self, lhs: ExprId) -> Result<Option<(SymbolId, Vec<usize>)>> {
        let model = self.model;
        let Some(symbol) = base(model, lhs) else {
            return match model.exprs[lhs].role {
                Role::Data => Ok(None),
                _ if self.is_given => Ok(None),
                _ => Err(SimulateError::Statement {
                    message: "what stands left of `~` here is no unknown but computed from some, \
                              and cannot be drawn: give values of the unknowns with `--at`"
                        .to_string(),
                    span: model.exprs[lhs].span,
                }),
            };
        };
        let is_drawn = match model.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.drawn.contains_key(&datum),
            SymbolKind::Unknown { .. } => !self.is_given,
            _ => false,
        };
        if !is_drawn {
            return Ok(None);
        }
        let places = self.elements(symbol, lhs)?;
        let current = self.value(symbol);
        if places.iter().any(|&place| !current[place].is_nan()) {
            let name = &model.symbols[symbol].name;
            let message = format!(
                "`{name}` stands left of `~` more than once, and what the density then is \
                 cannot be drawn: give its values with `--at`"
            );
            return Err(SimulateError::Statement { message, span: model.exprs[lhs].span });
        }
        Ok(Some((symbol, places)))
    }

    /// Where the elements of a left side lie in its symbol.
    fn elements(&mut self, symbol: SymbolId, lhs: ExprId) -> Result<Vec<usize>> {
        let length = self.length(symbol);
        let model = self.model;
        match &model.exprs[lhs].kind {
            ExprKind::Symbol(_) => return Ok((0..length).collect()),
            ExprKind::Index(whole, subscripts) => {
                let is_whole = matches!(model.exprs[*whole].kind, ExprKind::Symbol(_));
                let rank = model.symbols[symbol].ty.dims().len();
                if let ([Some(index)], true, 1) = (subscripts.as_slice(), is_whole, rank) {
                    return Ok(vec![self.eval(*index)?[0] as usize - 1]);
                }
            }
            _ => {}
        }
        // The left side of the numbers 0, 1, 2, … tells where its elements lie.
        let numbers: Vec<f64> = (0..length).map(|k| k as f64).collect();
        let before = self.values.insert(symbol, numbers);
        let places = self.eval(lhs);
        match before {
            Some(values) => self.values.insert(symbol, values),
            None => self.values.remove(&symbol),
        };
        Ok(places?.into_iter().map(|place| place as usize).collect())
    }

    fn allowed(&mut self, symbol: SymbolId, lhs: ExprId) -> Result<Allowed> {
        let model = self.model;
        let SymbolKind::Unknown { constraint, .. } = &model.symbols[symbol].kind else {
            return Ok(Allowed::All);
        };
        let last = model.symbols[symbol].ty.dims().last().map_or(1, |size| self.extent(size));
        let whole = matches!(model.exprs[lhs].kind, ExprKind::Symbol(_));
        Ok(match constraint {
            Constraint::Lower(low) => Allowed::Between(Some(self.eval(*low)?), None),
            Constraint::Upper(high) => Allowed::Between(None, Some(self.eval(*high)?)),
            Constraint::LowerUpper(low, high) => {
                Allowed::Between(Some(self.eval(*low)?), Some(self.eval(*high)?))
            }
            Constraint::Ordered if whole => Allowed::Increasing(last, f64::NEG_INFINITY),
            Constraint::PositiveOrdered if whole => Allowed::Increasing(last, 0.0),
            _ => Allowed::All,
        })
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
        let all = self.drawn.get(&datum).map_or_else(|| self.data.values(datum), Vec::as_slice);
        &all[self.range(datum)]
    }

    fn put(&mut self, symbol: SymbolId, places: &[usize], values: &[f64]) {
        let start = match self.model.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.range(datum).start,
            _ => 0,
        };
        let all = match self.model.symbols[symbol].kind {
            SymbolKind::Datum(datum) => self.drawn.get_mut(&datum),
            _ => self.values.get_mut(&symbol),
        };
        let all = all.expect("only what is drawn is put");
        for (place, value) in places.iter().zip(values) {
            all[start + place] = *value;
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
