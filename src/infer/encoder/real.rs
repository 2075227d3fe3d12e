//! The numbers that networks work in: `f32` in fits, where a gradient is noisy by far more than its
//! rounding, and `f64` where tests compare with central differences.

use multiversion::multiversion;
use ndarray::LinalgScalar;

/// A floating-point type of networks.
pub trait Real: LinalgScalar + Default + PartialOrd {
    /// The nearest to `x`.
    fn of(x: f64) -> Self;
    /// Its value.
    fn to_f64(self) -> f64;
    /// Multiplies what is below zero by `leak`.
    fn rectify(leak: Self, values: &mut [Self]);
    /// Multiplies the adjoint of `outputs` of [`Real::rectify`] by the slope there.
    fn rectified_adjoint(leak: Self, outputs: &[Self], adjoint: &mut [Self]);
    /// Adds `scale` times `x` to `sum`.
    fn add_scaled(scale: Self, x: &[Self], sum: &mut [Self]);
}

/// Adds `scale` times `x` to `sum`.
pub fn add_scaled<F: Real>(scale: F, x: &[F], sum: &mut [F]) {
    F::add_scaled(scale, x, sum);
}

macro_rules! real {
    ($float:ident) => {
        impl Real for $float {
            fn of(x: f64) -> Self {
                x as $float
            }

            fn to_f64(self) -> f64 {
                self.into()
            }

            fn rectify(leak: Self, values: &mut [Self]) {
                #[multiversion(targets("x86_64+avx2"))]
                fn rectify(leak: $float, values: &mut [$float]) {
                    values.iter_mut().for_each(|x| *x = if *x > 0.0 { *x } else { leak * *x });
                }
                rectify(leak, values);
            }

            fn rectified_adjoint(leak: Self, outputs: &[Self], adjoint: &mut [Self]) {
                #[multiversion(targets("x86_64+avx2"))]
                fn adjoint_of(leak: $float, outputs: &[$float], adjoint: &mut [$float]) {
                    for (adjoint, &x) in adjoint.iter_mut().zip(outputs) {
                        *adjoint *= if x > 0.0 { 1.0 } else { leak };
                    }
                }
                adjoint_of(leak, outputs, adjoint);
            }

            fn add_scaled(scale: Self, x: &[Self], sum: &mut [Self]) {
                #[multiversion(targets("x86_64+avx2"))]
                fn add(scale: $float, x: &[$float], sum: &mut [$float]) {
                    sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += scale * x);
                }
                add(scale, x, sum);
            }
        }
    };
}

real!(f32);
real!(f64);
