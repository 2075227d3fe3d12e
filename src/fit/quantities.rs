//! Quantities of outcomes, and where those of the data lie among those of replicates.

/// An outcome in the cells that are compared.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Its name.
    pub name: String,
    /// As observed.
    pub observed: Vec<f64>,
    /// The same cells of each replicate.
    pub replicated: Vec<Vec<f64>>,
}

/// What is computed of the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The mean.
    Mean,
    /// The standard deviation.
    Sd,
    /// The smallest value.
    Smallest,
    /// The largest value.
    Largest,
    /// The share of zeros, of counts.
    Zeros,
    /// The mean distance from each cell's own predictive median, in units of its own spread.
    Distance,
    /// The smallest of these differences.
    LowestResidual,
    /// The largest of these differences.
    HighestResidual,
}

impl Quantity {
    /// As it is saved.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Mean => "mean",
            Quantity::Sd => "sd",
            Quantity::Smallest => "smallest",
            Quantity::Largest => "largest",
            Quantity::Zeros => "zeros",
            Quantity::Distance => "distance",
            Quantity::LowestResidual => "lowest_residual",
            Quantity::HighestResidual => "highest_residual",
        }
    }
}

/// One quantity of one outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The outcome.
    pub outcome: String,
    /// Which quantity.
    pub quantity: Quantity,
    /// Of the data.
    pub observed: f64,
    /// Smallest, median and largest of the replicates.
    pub replicated: [f64; 3],
    /// How many replicates there are.
    pub n_replicates: usize,
    /// The two-sided posterior predictive p-value.
    pub p_value: f64,
    /// Whether the data lie so far out that the model cannot have made them.
    pub is_extreme: bool,
}

/// All quantities of an outcome. None where there are fewer than two cells.
pub fn compare(cells: &Cells) -> Vec<Finding> {
    if cells.observed.len() < 2 {
        return vec![];
    }
    let all = || cells.replicated.iter().chain([&cells.observed]);
    let is_whole = all().flatten().all(|x| x.fract() == 0.0);
    let is_binary = is_whole && all().flatten().all(|&x| x == 0.0 || x == 1.0);
    let mut quantities = vec![Quantity::Mean];
    if !is_binary {
        quantities.extend([Quantity::Sd, Quantity::Smallest, Quantity::Largest]);
        if is_whole && all().flatten().any(|&x| x == 0.0) {
            quantities.push(Quantity::Zeros);
        }
    }
    let plain = |quantity: Quantity| {
        let of = |values: &Vec<f64>| value(quantity, values);
        finding(cells, quantity, of(&cells.observed), cells.replicated.iter().map(of).collect())
    };
    let mut found: Vec<Finding> = quantities.into_iter().map(plain).collect();
    let scales = Scales::of(cells);
    if scales.used.len() > 1 {
        let observed = scales.residuals(&cells.observed);
        let replicated: Vec<Vec<f64>> =
            cells.replicated.iter().map(|values| scales.residuals(values)).collect();
        for quantity in [Quantity::Distance, Quantity::LowestResidual, Quantity::HighestResidual] {
            let of = |residuals: &Vec<f64>| value(quantity, residuals);
            let each = replicated.iter().map(of).collect();
            found.push(finding(cells, quantity, of(&observed), each));
        }
    }
    found
}

fn value(quantity: Quantity, values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = |of: fn(f64) -> f64| values.iter().map(|&x| of(x)).sum::<f64>() / n;
    match quantity {
        Quantity::Mean => mean(|x| x),
        Quantity::Sd => {
            let centre = mean(|x| x);
            (values.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
        }
        Quantity::Smallest | Quantity::LowestResidual => {
            values.iter().copied().fold(f64::INFINITY, f64::min)
        }
        Quantity::Largest | Quantity::HighestResidual => {
            values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
        }
        Quantity::Zeros => mean(|x| f64::from(u8::from(x == 0.0))),
        Quantity::Distance => mean(f64::abs),
    }
}

/// Where each cell lies by its own replicates, robustly: tails may have no moments.
struct Scales {
    used: Vec<usize>,
    medians: Vec<f64>,
    spreads: Vec<f64>,
}

impl Scales {
    fn of(cells: &Cells) -> Self {
        let mut scales = Self { used: vec![], medians: vec![], spreads: vec![] };
        let n = cells.replicated.len();
        for cell in 0..cells.observed.len() {
            let mut values: Vec<f64> = cells.replicated.iter().map(|r| r[cell]).collect();
            values.sort_by(f64::total_cmp);
            let quantile = |p: f64| values[(p * (n - 1) as f64).round() as usize];
            // Half of the central 68 %: the standard deviation of a Gaussian.
            let half = 0.5 * (quantile(0.84) - quantile(0.16));
            let mean = values.iter().sum::<f64>() / n as f64;
            let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            let spread = if half > 0.0 { half } else { (squares / n as f64).sqrt() };
            if spread > 0.0 && spread.is_finite() {
                scales.used.push(cell);
                scales.medians.push(quantile(0.5));
                scales.spreads.push(spread);
            }
        }
        scales
    }

    fn residuals(&self, values: &[f64]) -> Vec<f64> {
        let scale = self.medians.iter().zip(&self.spreads);
        let residual =
            |(&cell, (median, spread)): (&usize, (&f64, &f64))| (values[cell] - median) / spread;
        self.used.iter().zip(scale).map(residual).collect()
    }
}

fn finding(cells: &Cells, quantity: Quantity, observed: f64, mut each: Vec<f64>) -> Finding {
    each.sort_by(f64::total_cmp);
    let n = each.len();
    let [low, middle, high] = [each[0], each[n / 2], each[n - 1]];
    let share = |count: usize| (count + 1) as f64 / (n + 1) as f64;
    let above = share(each.iter().filter(|&&x| x >= observed).count());
    let below = share(each.iter().filter(|&&x| x <= observed).count());
    // Outside all replicates alone would be seen once in 200 comparisons of a true model. So it
    // has to be out by half as much again, or more where replicates hardly differ.
    let least = match quantity {
        Quantity::Zeros => 3.0 / cells.observed.len() as f64,
        Quantity::Smallest | Quantity::Largest => {
            let whole = cells.observed.iter().all(|x| x.fract() == 0.0);
            if whole { 2.0 } else { 0.0 }
        }
        _ => 0.0,
    };
    let rounding = 1e-9 * middle.abs();
    let margin = |reach: f64| (0.5 * reach).max(least).max(rounding);
    let is_extreme = observed > high + margin(high - middle).max(0.25 * (middle - low))
        || observed < low - margin(middle - low).max(0.25 * (high - middle));
    Finding {
        outcome: cells.name.clone(),
        quantity,
        observed,
        replicated: [low, middle, high],
        n_replicates: n,
        p_value: (2.0 * above.min(below)).min(1.0),
        is_extreme,
    }
}

impl Finding {
    /// Whether the data vary less, or reach less far, than the model allows: its intervals are
    /// wider than they need be, which is worth knowing and no reason against the fit.
    pub fn is_cautious(&self) -> bool {
        let is_high = self.observed > self.replicated[2];
        match self.quantity {
            Quantity::Sd | Quantity::Distance => !is_high,
            Quantity::Largest | Quantity::HighestResidual => !is_high,
            Quantity::Smallest | Quantity::LowestResidual => is_high,
            Quantity::Mean | Quantity::Zeros => false,
        }
    }

    /// What was seen, what it means and what to do; for findings that are extreme.
    pub fn sentence(&self) -> String {
        let [low, _, high] = self.replicated;
        let is_high = self.observed > high;
        let (what, unit) = match self.quantity {
            Quantity::Mean => ("mean", ""),
            Quantity::Sd => ("standard deviation", ""),
            Quantity::Smallest => ("smallest value", ""),
            Quantity::Largest => ("largest value", ""),
            Quantity::Zeros => ("share of zeros", ""),
            Quantity::Distance => ("mean distance from the prediction", " predictive sd"),
            Quantity::LowestResidual => ("lowest residual", " predictive sd"),
            Quantity::HighestResidual => ("highest residual", " predictive sd"),
        };
        let (side, nearest) = if is_high { ("above", high) } else { ("below", low) };
        let remedy = match (self.quantity, is_high) {
            (Quantity::Mean, _) => {
                "the model misses the level of the data: look at its intercept, its scale of the outcome \
                 and its priors"
            }
            (Quantity::Sd | Quantity::Distance, true) => {
                "the likelihood allows too little spread: for counts neg_binomial_2 or \
                 beta_binomial in place of poisson or binomial, for numbers a residual scale of \
                 its own"
            }
            (Quantity::Sd | Quantity::Distance, false) => {
                "the likelihood allows more spread than there is"
            }
            (Quantity::Zeros, true) => {
                "the likelihood has too few zeros: neg_binomial_2, or a mixture with zeros"
            }
            (Quantity::Zeros, false) => "the likelihood has too many zeros",
            (Quantity::Largest | Quantity::HighestResidual, true)
            | (Quantity::Smallest | Quantity::LowestResidual, false) => {
                "the likelihood's tails are too light: student_t in place of normal, \
                 neg_binomial_2 in place of poisson; or these cells are errors"
            }
            _ => "the likelihood reaches further than the data do",
        };
        format!(
            "the {what} of `{}` is {}{unit}, {side} all of {} data sets drawn from the fit \
             (nearest {}): {remedy}",
            self.outcome,
            short(self.observed),
            self.n_replicates,
            short(nearest),
        )
    }
}

/// A number to four digits.
fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    let magnitude = x.abs().log10().floor() as i32;
    match magnitude {
        -4..=6 => {
            let decimals = (3 - magnitude).clamp(0, 7) as usize;
            let text = format!("{x:.decimals$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
                false => text,
            }
        }
        _ => format!("{x:.3e}"),
    }
}
