//! Elementwise ops as instructions or calls, on one number or a pair.
//!
//! They agree with `ir::eval` to the bit.

use cranelift::codegen::ir::FuncRef;
use cranelift::prelude::*;
use cranelift_jit::JITBuilder;
use cranelift_module::{Linkage, Module};

use super::emit::Emitter;
use crate::ir::op::{BinaryOp, Bivariate, UnaryOp};
use crate::math;

type Unary = extern "C" fn(f64) -> f64;
type Binary = extern "C" fn(f64, f64) -> f64;

/// Functions of one argument that machine code calls, by symbol.
const UNARY: [(&str, Unary); 30] = [
    ("exp", math::exp),
    ("expm1", math::expm1),
    ("log", math::log),
    ("log1p", math::log1p),
    ("sin", math::sin),
    ("cos", math::cos),
    ("atan", math::atan),
    ("tanh", math::tanh),
    ("inv_logit", math::inv_logit),
    ("log1p_exp", math::log1p_exp),
    ("log_cosh", math::log_cosh),
    ("lgamma", math::lgamma),
    ("digamma", math::digamma),
    ("trigamma", math::trigamma),
    ("phi", math::phi),
    ("round", math::round),
    ("inv_phi", math::inv_phi),
    ("erf", math::erf),
    ("erfc", math::erfc),
    ("log1m_exp", math::log1m_exp),
    ("log2", math::log2),
    ("log10", math::log10),
    ("cbrt", math::cbrt),
    ("asin", math::asin),
    ("acos", math::acos),
    ("sinh", math::sinh),
    ("cosh", math::cosh),
    ("asinh", math::asinh),
    ("acosh", math::acosh),
    ("atanh", math::atanh),
];

const BINARY: [(&str, Binary); 5] = [
    ("pow", math::pow),
    ("rem", math::rem),
    ("atan2", math::atan2),
    ("hypot", math::hypot),
    ("log_beta", math::log_beta),
];

const POLYGAMMA: (&str, extern "C" fn(i32, f64) -> f64) = ("polygamma", math::polygamma);

const LOG_PHI: (&str, extern "C" fn(i32, f64) -> f64) =
    ("log_phi_derivative", math::log_phi_derivative);

const PARTIAL: (&str, extern "C" fn(i32, i32, i32, f64, f64) -> f64) = ("partial", math::partial);

/// Tells the linker where the called functions are.
pub(super) fn define_symbols(builder: &mut JITBuilder) {
    for (name, function) in UNARY {
        builder.symbol(symbol(name), function as *const u8);
    }
    for (name, function) in BINARY {
        builder.symbol(symbol(name), function as *const u8);
    }
    builder.symbol(symbol(POLYGAMMA.0), POLYGAMMA.1 as *const u8);
    builder.symbol(symbol(LOG_PHI.0), LOG_PHI.1 as *const u8);
    builder.symbol(symbol(PARTIAL.0), PARTIAL.1 as *const u8);
}

/// The name under which code finds our function rather than the C library's.
fn symbol(name: &str) -> String {
    format!("hbdc_{name}")
}

impl Emitter<'_> {
    pub fn unary(&mut self, op: UnaryOp, x: Value) -> Value {
        match op {
            UnaryOp::Neg => self.b.ins().fneg(x),
            UnaryOp::Abs => self.b.ins().fabs(x),
            UnaryOp::Sign => self.sign(x),
            UnaryOp::Sqrt => self.b.ins().sqrt(x),
            UnaryOp::Square => self.b.ins().fmul(x, x),
            UnaryOp::Recip => {
                let one = self.constant_like(1.0, x);
                self.b.ins().fdiv(one, x)
            }
            UnaryOp::Floor => self.b.ins().floor(x),
            UnaryOp::Ceil => self.b.ins().ceil(x),
            UnaryOp::Trunc => self.b.ins().trunc(x),
            UnaryOp::Not => {
                let zero = self.constant_like(0.0, x);
                self.truth(FloatCC::Equal, x, zero)
            }
            UnaryOp::Polygamma(n) if n > 1 => self.derivative(POLYGAMMA.0, n, x),
            UnaryOp::LogPhi(n) => self.derivative(LOG_PHI.0, n, x),
            other => self.call_unary(name_of(other), x),
        }
    }

    pub fn binary(&mut self, op: BinaryOp, x: Value, y: Value) -> Value {
        let (x, y) = self.same_width(x, y);
        match op {
            BinaryOp::Add => self.b.ins().fadd(x, y),
            BinaryOp::Sub => self.b.ins().fsub(x, y),
            BinaryOp::Mul => self.b.ins().fmul(x, y),
            BinaryOp::Div => self.b.ins().fdiv(x, y),
            BinaryOp::Pow => self.call_binary("pow", x, y),
            BinaryOp::Rem => self.call_binary("rem", x, y),
            BinaryOp::Atan2 => self.call_binary("atan2", x, y),
            BinaryOp::Hypot => self.call_binary("hypot", x, y),
            BinaryOp::LogBeta => self.call_binary("log_beta", x, y),
            BinaryOp::Partial(f, i, j) => self.partial(f, i, j, x, y),
            BinaryOp::Min => self.first_if(FloatCC::LessThan, x, y),
            BinaryOp::Max => self.first_if(FloatCC::GreaterThan, x, y),
            BinaryOp::IntDiv => {
                let quotient = self.b.ins().fdiv(x, y);
                self.b.ins().trunc(quotient)
            }
            BinaryOp::Equal => self.truth(FloatCC::Equal, x, y),
            BinaryOp::NotEqual => self.truth(FloatCC::NotEqual, x, y),
            BinaryOp::Less => self.truth(FloatCC::LessThan, x, y),
            BinaryOp::LessEqual => self.truth(FloatCC::LessThanOrEqual, x, y),
        }
    }

    /// `a` where `c` is not zero, else `b`.
    pub fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        let (a, b) = self.same_width(a, b);
        let (c, a) = self.same_width(c, a);
        let (a, b) = self.same_width(a, b);
        let zero = self.constant_like(0.0, c);
        let holds = self.b.ins().fcmp(FloatCC::NotEqual, c, zero);
        self.choose(holds, a, b)
    }

    pub fn same_width(&mut self, x: Value, y: Value) -> (Value, Value) {
        match self.is_pair(x) || self.is_pair(y) {
            true => (self.widen(x), self.widen(y)),
            false => (x, y),
        }
    }

    fn constant_like(&mut self, constant: f64, x: Value) -> Value {
        let scalar = self.b.ins().f64const(constant);
        if self.is_pair(x) { self.widen(scalar) } else { scalar }
    }

    /// `a` where the result of a comparison holds, else `b`.
    fn choose(&mut self, holds: Value, a: Value, b: Value) -> Value {
        if !self.is_pair(a) {
            return self.b.ins().select(holds, a, b);
        }
        let flags = MemFlagsData::new().with_endianness(codegen::ir::Endianness::Little);
        let mask = self.b.ins().bitcast(types::F64X2, flags, holds);
        self.b.ins().bitselect(mask, a, b)
    }

    fn truth(&mut self, condition: FloatCC, x: Value, y: Value) -> Value {
        let holds = self.b.ins().fcmp(condition, x, y);
        let (one, zero) = (self.constant_like(1.0, x), self.constant_like(0.0, x));
        self.choose(holds, one, zero)
    }

    /// `x` where the comparison holds or `x` is NaN, else `y`.
    fn first_if(&mut self, condition: FloatCC, x: Value, y: Value) -> Value {
        let holds = self.b.ins().fcmp(condition, x, y);
        let is_nan = self.b.ins().fcmp(FloatCC::Unordered, x, x);
        let first = self.b.ins().bor(holds, is_nan);
        self.choose(first, x, y)
    }

    /// Zero and NaN are their own sign.
    fn sign(&mut self, x: Value) -> Value {
        let zero = self.constant_like(0.0, x);
        let (one, minus_one) = (self.constant_like(1.0, x), self.constant_like(-1.0, x));
        let negative = self.b.ins().fcmp(FloatCC::LessThan, x, zero);
        let positive = self.b.ins().fcmp(FloatCC::GreaterThan, x, zero);
        let rest = self.choose(negative, minus_one, x);
        self.choose(positive, one, rest)
    }

    fn partial(&mut self, f: Bivariate, i: u8, j: u8, x: Value, y: Value) -> Value {
        let integer = types::I32;
        let parameters = [integer, integer, integer, types::F64, types::F64];
        let callee = self.import(PARTIAL.0, &parameters);
        let [f, i, j] =
            [f as i64, i64::from(i), i64::from(j)].map(|n| self.b.ins().iconst(integer, n));
        self.each_lane(&[x, y], &mut |e, lanes| e.call(callee, &[f, i, j, lanes[0], lanes[1]]))
    }

    /// The n-th derivative, by a function that is told n.
    fn derivative(&mut self, name: &'static str, n: u8, x: Value) -> Value {
        let callee = self.import(name, &[types::I32, types::F64]);
        let n = self.b.ins().iconst(types::I32, i64::from(n));
        self.each_lane(&[x], &mut |e, lanes| e.call(callee, &[n, lanes[0]]))
    }

    fn call_unary(&mut self, name: &'static str, x: Value) -> Value {
        let callee = self.import(name, &[types::F64]);
        self.each_lane(&[x], &mut |e, lanes| e.call(callee, lanes))
    }

    fn call_binary(&mut self, name: &'static str, x: Value, y: Value) -> Value {
        let callee = self.import(name, &[types::F64, types::F64]);
        self.each_lane(&[x, y], &mut |e, lanes| e.call(callee, lanes))
    }

    fn call(&mut self, callee: FuncRef, arguments: &[Value]) -> Value {
        let call = self.b.ins().call(callee, arguments);
        self.b.inst_results(call)[0]
    }

    /// Calls on numbers; on pairs, for each lane.
    fn each_lane(
        &mut self,
        operands: &[Value],
        call: &mut dyn FnMut(&mut Self, &[Value]) -> Value,
    ) -> Value {
        if !self.is_pair(operands[0]) {
            return call(self, operands);
        }
        let [first, second] = [0_u8, 1].map(|lane| {
            let lanes: Vec<Value> =
                operands.iter().map(|pair| self.b.ins().extractlane(*pair, lane)).collect();
            call(self, &lanes)
        });
        self.join(first, second)
    }

    /// A function of `math` with these parameters and an `f64` result.
    fn import(&mut self, name: &'static str, parameters: &[Type]) -> FuncRef {
        if let Some(known) = self.imports.get(name) {
            return *known;
        }
        let mut signature = self.module.make_signature();
        signature.params.extend(parameters.iter().map(|ty| AbiParam::new(*ty)));
        signature.returns.push(AbiParam::new(types::F64));
        let id = self
            .module
            .declare_function(&symbol(name), Linkage::Import, &signature)
            .expect("each name is declared with one signature");
        let function = self.module.declare_func_in_func(id, self.b.func);
        self.imports.insert(name, function);
        function
    }
}

fn name_of(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Exp => "exp",
        UnaryOp::Expm1 => "expm1",
        UnaryOp::Log => "log",
        UnaryOp::Log1p => "log1p",
        UnaryOp::Sin => "sin",
        UnaryOp::Cos => "cos",
        UnaryOp::Atan => "atan",
        UnaryOp::Tanh => "tanh",
        UnaryOp::InvLogit => "inv_logit",
        UnaryOp::Log1pExp => "log1p_exp",
        UnaryOp::LogCosh => "log_cosh",
        UnaryOp::Lgamma => "lgamma",
        UnaryOp::Polygamma(0) => "digamma",
        UnaryOp::Polygamma(1) => "trigamma",
        UnaryOp::Phi => "phi",
        UnaryOp::Round => "round",
        UnaryOp::InvPhi => "inv_phi",
        UnaryOp::Erf => "erf",
        UnaryOp::Erfc => "erfc",
        UnaryOp::Log1mExp => "log1m_exp",
        UnaryOp::Log2 => "log2",
        UnaryOp::Log10 => "log10",
        UnaryOp::Cbrt => "cbrt",
        UnaryOp::Asin => "asin",
        UnaryOp::Acos => "acos",
        UnaryOp::Sinh => "sinh",
        UnaryOp::Cosh => "cosh",
        UnaryOp::Asinh => "asinh",
        UnaryOp::Acosh => "acosh",
        UnaryOp::Atanh => "atanh",
        other => unreachable!("{other:?} is an instruction"),
    }
}
