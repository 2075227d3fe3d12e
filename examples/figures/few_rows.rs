//! Many branches with few rows: what the guide says of the globals, and what is reported.

use std::error::Error;

use hbdc::{Dataset, FitConfig, Source, compile, fit};

/// Fits `few_rows.hbd` to `few_rows.csv`, which `tests/oracle/few_rows.py` wrote to this folder: with
/// three seeds, and twice with sixteen importance samples.
pub fn print(config: &FitConfig) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string("few_rows.hbd")?;
    let model = compile(&Source::new("few_rows.hbd", text))?;
    let data = Dataset::read_csv("few_rows.csv")?.bind(model.schema())?;
    for (samples, seed) in [(1, 1), (1, 2), (1, 3), (16, 1), (16, 2)] {
        let config = config.clone().importance_samples(samples).seed(seed);
        let fit = fit(&model, &data, &config)?;
        let (guide, reported) = (fit.posterior().guide_summary(), fit.posterior().summary());
        println!("{samples} importance samples, seed {seed}, {:.0} s", fit.seconds());
        for (guide, reported) in guide.rows().iter().zip(reported.rows()) {
            println!(
                "  {:<6} guide: {:.3} ± {:.3}   reported: {:.3} ± {:.3}",
                guide.name, guide.mean, guide.sd, reported.mean, reported.sd
            );
        }
    }
    Ok(())
}
