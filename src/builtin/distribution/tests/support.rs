//! Where densities are zero.

use super::*;

/// Where a density is zero there is nothing to climb, whatever the formula gives there.
#[test]
fn gradients_outside_the_support_are_zero() {
    let outside = [-1e300, -1.0, -1e-300, 1.0 + 1e-9, 1e300];
    for distribution in ALL {
        let is_inside = |x: f64| match distribution.outcome {
            Outcome::Univariate(Element::Real, Support::NonNegative | Support::Positive) => x > 0.0,
            Outcome::Univariate(Element::Real, Support::UnitInterval) => (0.0..=1.0).contains(&x),
            Outcome::Univariate(Element::Real, Support::FromFirstArgument) => x >= 2.0,
            Outcome::Univariate(Element::Real, Support::BetweenArguments) => {
                (2.0..=4.0).contains(&x)
            }
            _ => true,
        };
        let points: Vec<f64> = outside.into_iter().filter(|x| !is_inside(*x)).collect();
        for shape in [2.0, 0.5, 1.0] {
            let mut inputs = vec![points.clone()];
            let bounds = matches!(
                distribution.outcome,
                Outcome::Univariate(_, Support::FromFirstArgument | Support::BetweenArguments)
            );
            inputs.extend(distribution.params.iter().enumerate().map(|(k, param)| {
                let value = match param.kind {
                    ParamKind::Probability => 0.4,
                    _ if bounds => 2.0 * (k + 1) as f64,
                    _ => shape,
                };
                vec![value; points.len()]
            }));
            if points.is_empty() {
                continue;
            }
            let density = density(distribution.name, points.len(), 1);
            for (values, gradients) in density.both(&inputs) {
                let name = distribution.name;
                assert!(values.iter().all(|x| *x == f64::NEG_INFINITY), "{name}: {values:?}");
                let slopes = gradients.concat();
                assert!(slopes.iter().all(|slope| *slope == 0.0), "{name}: {slopes:?}");
            }
        }
    }
}
