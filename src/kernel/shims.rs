//! Kernels as machine code calls them: by address, with pointers and lengths.

use super::elementary;
use super::gather::{self, Rows};
use super::product::{self, Operand};

/// A function of each of `length` elements of `source`, written to `target`.
///
/// # Safety
/// Both must be valid, and be the same or apart.
pub type Elementary = unsafe extern "C" fn(source: *const f64, target: *mut f64, length: usize);

/// `C = A W B`; see [`product::product`].
///
/// # Safety
/// `call` must be valid, and what it points to; C must overlap neither A nor B.
pub type Product = unsafe extern "C" fn(call: *const ProductCall);

/// What a product is called with, as machine code writes it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ProductCall {
    a: *const f64,
    b: *const f64,
    /// Or null.
    weights: *const f64,
    c: *mut f64,
    sizes: [usize; 3],
    a_strides: [usize; 2],
    b_strides: [usize; 2],
}

/// Rows of a table: one after another, see [`gather::gather`], or multiplied, see
/// [`gather::times_vector`] and [`gather::weighted_sum`].
///
/// # Safety
/// `call` must be valid, and what it points to; the target must overlap nothing else.
pub type Gather = unsafe extern "C" fn(call: *const GatherCall);

/// What a gather is called with, as machine code writes it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GatherCall {
    values: *const f64,
    indices: *const f64,
    /// What the rows are multiplied with, or null.
    operand: *const f64,
    target: *mut f64,
    n_rows: usize,
    stride: usize,
    n_indices: usize,
    width: usize,
    /// Added to each index.
    shift: i64,
}

macro_rules! elementary {
    ($($name:ident),*) => {
        /// The kernels of one operand, by the names of the functions of one number.
        pub const ELEMENTARY: [(&str, Elementary); [$(stringify!($name)),*].len()] =
            [$((stringify!($name), $name)),*];

        $(unsafe extern "C" fn $name(source: *const f64, target: *mut f64, length: usize) {
            if source != target.cast_const() {
                // SAFETY: as the caller of an `Elementary` promises.
                unsafe { std::ptr::copy_nonoverlapping(source, target, length) };
            }
            // SAFETY: as above.
            elementary::$name(unsafe { std::slice::from_raw_parts_mut(target, length) });
        })*
    };
}

elementary!(
    exp, expm1, log, log1p, inv_logit, log1p_exp, tanh, log_cosh, log1m_exp, lgamma, digamma,
    trigamma
);

/// The product, by name.
pub const PRODUCT: (&str, Product) = ("product", product);

unsafe extern "C" fn product(call: *const ProductCall) {
    // SAFETY: as the caller of a `Product` promises.
    let ProductCall { a, b, weights, c, sizes, a_strides, b_strides } = unsafe { *call };
    let [m, n, k] = sizes;
    if m * n == 0 {
        return;
    }
    // SAFETY: as above; C is written without gaps.
    let c = unsafe { std::slice::from_raw_parts_mut(c, m * n) };
    let operand = |first, strides: [usize; 2], [rows, columns]: [usize; 2]| {
        let reach = match rows * columns {
            0 => 0,
            _ => (rows - 1) * strides[0] + (columns - 1) * strides[1] + 1,
        };
        // SAFETY: as above; `reach` ends with the last element.
        Operand { values: unsafe { std::slice::from_raw_parts(first, reach) }, strides }
    };
    let (a, b) = (operand(a, a_strides, [m, k]), operand(b, b_strides, [k, n]));
    // SAFETY: as above; there is one weight for each term.
    let weights = (!weights.is_null()).then(|| unsafe { std::slice::from_raw_parts(weights, k) });
    product::product(a, b, weights, (m, n, k), c);
}

/// The gather, by name.
pub const GATHER: (&str, Gather) = ("gather", gather);
/// `X b` of the rows of a gather, by name: `operand` is b, of `width` elements, and the target has
/// one for each index.
pub const TIMES_VECTOR: (&str, Gather) = ("gathered_times_vector", times_vector);
/// `Xᵀ w` of the rows of a gather, by name: `operand` is w, with one element for each index, and
/// the target has `width`.
pub const WEIGHTED_SUM: (&str, Gather) = ("gathered_weighted_sum", weighted_sum);

impl GatherCall {
    /// The rows; none where there is nothing to read.
    ///
    /// # Safety
    /// As the caller of a [`Gather`] promises.
    unsafe fn rows<'a>(&self) -> Option<Rows<'a>> {
        let GatherCall { values, indices, n_rows, stride, n_indices, width, shift, .. } = *self;
        if n_rows * n_indices * width == 0 {
            return None;
        }
        let reach = (n_rows - 1) * stride + width;
        // SAFETY: the promise; `reach` ends with the last element.
        let values = unsafe { std::slice::from_raw_parts(values, reach) };
        // SAFETY: the promise.
        let indices = unsafe { std::slice::from_raw_parts(indices, n_indices) };
        Some(Rows { values, n_rows, stride, indices, shift })
    }
}

unsafe extern "C" fn gather(call: *const GatherCall) {
    // SAFETY: as the caller of a `Gather` promises.
    let call = unsafe { *call };
    // SAFETY: as above.
    let Some(rows) = (unsafe { call.rows() }) else { return };
    let length = call.n_indices * call.width;
    // SAFETY: as above; the target is written without gaps.
    let target = unsafe { std::slice::from_raw_parts_mut(call.target, length) };
    gather::gather(rows, call.width, target);
}

unsafe extern "C" fn times_vector(call: *const GatherCall) {
    // SAFETY: as the caller of a `Gather` promises.
    let call = unsafe { *call };
    // SAFETY: as above.
    let target = unsafe { std::slice::from_raw_parts_mut(call.target, call.n_indices) };
    // SAFETY: as above.
    let Some(rows) = (unsafe { call.rows() }) else { return target.fill(0.0) };
    // SAFETY: as above; the vector is as long as a row.
    let vector = unsafe { std::slice::from_raw_parts(call.operand, call.width) };
    gather::times_vector(rows, vector, target);
}

unsafe extern "C" fn weighted_sum(call: *const GatherCall) {
    // SAFETY: as the caller of a `Gather` promises.
    let call = unsafe { *call };
    // SAFETY: as above.
    let target = unsafe { std::slice::from_raw_parts_mut(call.target, call.width) };
    // SAFETY: as above.
    let Some(rows) = (unsafe { call.rows() }) else { return target.fill(0.0) };
    // SAFETY: as above; there is one weight for each index.
    let weights = unsafe { std::slice::from_raw_parts(call.operand, call.n_indices) };
    gather::weighted_sum(rows, weights, target);
}
