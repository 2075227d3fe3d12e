//! Readable text of a function, for dumps: `v12 = mul v3 v4 : [N, 19]`.

use std::fmt::{self, Display};

use super::op::{BinaryOp, Function, Loop, Op, UnaryOp, ValueId, ValueType};
use crate::ty::{Element, Size};

impl Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_function(f, self, 0)
    }
}

impl Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let element = match self.element {
            Element::Int => "int",
            Element::Real => "real",
        };
        match (self.rank(), self.element) {
            (0, _) => f.write_str(element),
            (_, Element::Int) => write!(f, "int [{}]", list(&self.dims)),
            (_, Element::Real) => write!(f, "[{}]", list(&self.dims)),
        }
    }
}

fn write_function(f: &mut fmt::Formatter<'_>, function: &Function, depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    writeln!(f, "{indent}function {} {{", function.name)?;
    for (position, input) in function.inputs.iter().enumerate() {
        let (name, kind, ty) = (&input.name, input.kind, &input.ty);
        writeln!(f, "{indent}  input {position} `{name}` {kind:?} : {ty}")?;
    }
    for (id, value) in function.values.iter() {
        write!(f, "{indent}  {id:?} = ")?;
        match &value.op {
            Op::Loop(l) => write_loop(f, l, depth + 1)?,
            op => writeln!(f, "{} : {}", text(op), value.ty)?,
        }
    }
    for output in &function.outputs {
        writeln!(f, "{indent}  output `{}` = {:?}", output.name, output.value)?;
    }
    writeln!(f, "{indent}}}")
}

fn write_loop(f: &mut fmt::Formatter<'_>, l: &Loop, depth: usize) -> fmt::Result {
    let direction = if l.reverse { "reverse loop" } else { "loop" };
    let (count, bound) = (l.count, &l.max_count);
    let (carried, captured) = (ids(&l.carried), ids(&l.captured));
    writeln!(
        f,
        "{direction} {count:?} of at most {bound} carried [{carried}] captured [{captured}]"
    )?;
    write_function(f, &l.body, depth + 1)
}

/// The op and its operands, without the type.
fn text(op: &Op) -> String {
    match op {
        Op::Input(k) => format!("input {k}"),
        Op::Real(x) => format!("real {x:?}"),
        Op::Int(n) => format!("int {n}"),
        Op::SizeOf(size) => format!("size {size}"),
        Op::Fill(x) => format!("fill {x:?}"),
        Op::Iota => "iota".to_string(),
        Op::Eye { offset } => format!("eye offset {offset}"),
        Op::Unary(op, a) => format!("{} {a:?}", unary_name(*op)),
        Op::Binary(op, a, b) => format!("{} {a:?} {b:?}", binary_name(*op)),
        Op::Select(c, a, b) => format!("select {c:?} {a:?} {b:?}"),
        Op::Broadcast(a, axes) => format!("broadcast {a:?} to axes {axes:?}"),
        Op::Sum(a, keep) => format!("sum {a:?} keep {keep:?}"),
        Op::Largest(a, keep) => format!("largest {a:?} keep {keep:?}"),
        Op::Reshape(a) => format!("reshape {a:?}"),
        Op::Contract { a, a_axes, b, b_axes } => {
            format!("contract {a:?}{a_axes:?} {b:?}{b_axes:?}")
        }
        Op::Index(a, at) => format!("index {a:?} at {}", places(at)),
        Op::Set { base, at, value } => format!("set {base:?} at {} to {value:?}", places(at)),
        Op::AddAt { base, at, value } => format!("add {value:?} to {base:?} at {}", places(at)),
        Op::Gather { base, indices, axis } => format!("gather {base:?} axis {axis} at {indices:?}"),
        Op::ScatterAdd { base, indices, axis, value } => {
            format!("scatter {value:?} onto {base:?} axis {axis} at {indices:?}")
        }
        Op::Stack(items) => format!("stack [{}]", ids(items)),
        Op::Diagonal(a) => format!("diagonal {a:?}"),
        Op::DiagonalMatrix(a) => format!("diagonal_matrix {a:?}"),
        Op::LowerTriangle(a) => format!("lower_triangle {a:?}"),
        Op::UnpackStrictLower(a) => format!("unpack_strict_lower {a:?}"),
        Op::PackStrictLower(a) => format!("pack_strict_lower {a:?}"),
        Op::CumulativeSum { value, axis, exclusive, reverse } => {
            let exclusive = if *exclusive { " exclusive" } else { "" };
            let reverse = if *reverse { " reverse" } else { "" };
            format!("cumulative_sum {value:?} axis {axis}{exclusive}{reverse}")
        }
        Op::SolveLower { matrix, rhs, transpose } => {
            let transpose = if *transpose { " transpose" } else { "" };
            format!("solve_lower{transpose} {matrix:?} {rhs:?}")
        }
        Op::Loop(_) => "loop".to_string(),
        Op::Result(l, k) => format!("result {k} of {l:?}"),
    }
}

fn unary_name(op: UnaryOp) -> String {
    match op {
        UnaryOp::Polygamma(n) => format!("polygamma({n})"),
        UnaryOp::LogPhi(n) => format!("log_phi({n})"),
        named => snake_case(&format!("{named:?}")),
    }
}

fn binary_name(op: BinaryOp) -> String {
    match op {
        BinaryOp::Partial(f, i, j) => format!("{}({i},{j})", snake_case(&format!("{f:?}"))),
        named => snake_case(&format!("{named:?}")),
    }
}

/// `Log1pExp` to `log1p_exp`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn ids(ids: &[ValueId]) -> String {
    ids.iter().map(|id| format!("{id:?}")).collect::<Vec<_>>().join(", ")
}

fn places(at: &[Option<ValueId>]) -> String {
    let axis = |axis: &Option<ValueId>| axis.map_or(":".to_string(), |id| format!("{id:?}"));
    format!("[{}]", at.iter().map(axis).collect::<Vec<_>>().join(", "))
}

fn list(sizes: &[Size]) -> String {
    sizes.iter().map(Size::to_string).collect::<Vec<_>>().join(", ")
}
