//! Published posteriors: the branch family and the default beside them.

use hbdc::{BoundData, CompiledModel, Family, Fit, FitConfig, fit};

use crate::{flag, support};

/// Fits the models of `tests/reference/NAME/reference.json`.
pub fn print() {
    for name in ["rats", "seeds", "eight_schools"] {
        let (model, bound) = support::shipped_with_data(name);
        for family in [Family::Branch, Family::Amortized] {
            let fit = fitted(&model, &bound, family);
            let (elbo, se) = fit.elbo();
            println!("{name}, {family:?}: ELBO {elbo:.3} ± {se:.3}{}", flag(&fit));
            let guide = support::compare(name, &fit, false);
            let reported = support::compare(name, &fit, true);
            for (guide, reported) in guide.iter().zip(&reported) {
                println!(
                    "  {:<12} guide: z {:+.3}, sd × {:.3}   reported: z {:+.3}, sd × {:.3}",
                    guide.name, guide.z, guide.sd_ratio, reported.z, reported.sd_ratio
                );
            }
        }
    }
}

fn fitted(model: &CompiledModel, data: &BoundData, family: Family) -> Fit {
    fit(model, data, &FitConfig::default().family(family)).expect("the fit starts")
}
