//! What must hold before code is emitted, now that sizes are known: emission relies on it
//! for the safety of every access.

use super::CodegenError;
use super::sizes::{RowPolynomial, SizeTable};
use crate::ir::op::{Function, Op, ValueId};
use crate::ir::verify::verify_with;
use crate::ty::Size;

/// Checks the function with its sizes filled in.
pub(super) fn check(function: &Function, sizes: &SizeTable) -> Result<(), CodegenError> {
    resolve_all(function, sizes)?;
    let same = |a: &Size, b: &Size| match (sizes.resolve(a), sizes.resolve(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    verify_with(function, &same).map_err(CodegenError::Invalid)?;
    check_packed(function, sizes)
}

/// Every size has a value that fits, for every number of rows.
fn resolve_all(function: &Function, sizes: &SizeTable) -> Result<(), CodegenError> {
    let resolve = |size: &Size| {
        let bound = sizes.resolve(size)?.upper_bound(sizes.max_rows());
        bound.map(|_| ()).ok_or_else(|| CodegenError::SizeOverflow(size.to_string()))
    };
    let input_dims = function.inputs.iter().flat_map(|input| &input.ty.dims);
    let value_dims = function.values.iter().flat_map(|(_, value)| &value.ty.dims);
    input_dims.chain(value_dims).try_for_each(resolve)?;
    for (_, value) in function.values.iter() {
        match &value.op {
            Op::SizeOf(size) | Op::Eye { offset: size } => resolve(size)?,
            Op::Loop(l) => {
                resolve(&l.max_count)?;
                resolve_all(&l.body, sizes)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Packed triangles have the length of their matrix.
fn check_packed(function: &Function, sizes: &SizeTable) -> Result<(), CodegenError> {
    for (id, value) in function.values.iter() {
        let (square, packed) = match &value.op {
            Op::UnpackStrictLower(a) => (&value.ty.dims, &function.values[*a].ty.dims),
            Op::PackStrictLower(a) => (&function.values[*a].ty.dims, &value.ty.dims),
            Op::Loop(l) => {
                check_packed(&l.body, sizes)?;
                continue;
            }
            Op::Reshape(a) => {
                if n_elements(function, sizes, *a)? != n_elements(function, sizes, id)? {
                    let rule =
                        format!("in `{}`, {id:?}: another number of elements", function.name);
                    return Err(CodegenError::Invalid(rule));
                }
                continue;
            }
            _ => continue,
        };
        let (square, packed) = (sizes.resolve(&square[0])?, sizes.resolve(&packed[0])?);
        if !square.is_triangular_root_of(&packed) {
            let rule = format!("in `{}`, {id:?}: not the length of a triangle", function.name);
            return Err(CodegenError::Invalid(rule));
        }
    }
    Ok(())
}

/// The number of elements of a value. At most one of its dimensions may be negative, and so
/// empty, for some number of rows: then the product is what the dimensions hold together.
fn n_elements(
    function: &Function,
    sizes: &SizeTable,
    id: ValueId,
) -> Result<RowPolynomial, CodegenError> {
    let dims = &function.values[id].ty.dims;
    let product = |a: Size, b: &Size| a.checked_mul(b);
    let overflow = || CodegenError::SizeOverflow(format!("{dims:?}"));
    let count = dims.iter().try_fold(Size::constant(1), product).ok_or_else(overflow)?;
    let resolved: Vec<RowPolynomial> =
        dims.iter().map(|size| sizes.resolve(size)).collect::<Result<_, _>>()?;
    if resolved.iter().filter(|size| size.may_be_negative()).count() > 1 {
        let rule = format!("in `{}`, {id:?}: several dimensions below zero", function.name);
        return Err(CodegenError::Invalid(rule));
    }
    sizes.resolve(&count)
}
