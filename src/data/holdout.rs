//! Which rows are kept out of the fit, to be scored.

use super::bound::BoundData;
use super::error::{DataError, DataErrorKind};

/// For each bound row 1 if the fit sees it, 0 if it is held out.
pub type RowMask = Vec<f64>;

impl BoundData {
    /// Holds out `⌊n · fraction⌋` of the n rows of each branch: the last ones if `by_order`,
    /// else at random.
    ///
    /// The draw is counter-based: row k of branch i gets a hash of (seed, i, k), and the rows
    /// with the smallest are held out. So it depends on the seed and the bound order alone,
    /// not on the order of branches in the file.
    ///
    /// An error if `fraction` does not lie strictly between 0 and 1, no branch has two rows, or
    /// no branch has enough rows to hold out one.
    pub fn hold_out(&self, fraction: f64, seed: u64, by_order: bool) -> Result<RowMask, DataError> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(hold_out_error(format!("cannot hold out a share of {fraction}"))
                .help("give a share between 0 and 1, such as `--holdout 0.2`"));
        }
        if self.max_rows() < 2 {
            return Err(hold_out_error("no branch has two rows, so none can be held out".into())
                .help("hold out whole branches, or leave the hold-out away"));
        }
        let mut mask = vec![1.0; self.n_rows_total()];
        for branch in 0..self.n_branches() {
            let mask = &mut mask[self.rows(branch)];
            let n_out = share(mask.len(), fraction);
            if by_order {
                let first_out = mask.len() - n_out;
                mask[first_out..].fill(0.0);
            } else {
                hold_out_at_random(mask, n_out, hash(hash(seed) ^ branch as u64));
            }
        }
        if mask.contains(&0.0) { Ok(mask) } else { Err(self.too_few(fraction)) }
    }

    /// Why rows cannot be held out where a term at `span` is of several rows.
    pub fn refuse_hold_out(&self, span: crate::source::Span) -> DataError {
        hold_out_error("rows cannot be held out: a term reads them other than left of `~`".into())
            .help(
                "what is held out is the term of a row, `y ~ …`, `y[n] ~ …` or a slice; fit \
                 without `--holdout`, or write the term as a distribution of your own, \
                 `y[n] ~ own(…)` with a function `own_lpdf`",
            )
            .at(span)
    }

    /// Why rows of branches that were fitted cannot be scored where a term at `span` is of several
    /// rows.
    pub fn refuse_seen(&self, span: crate::source::Span) -> DataError {
        let message = "rows of branches that are fitted cannot be scored: a term reads rows other \
                       than left of `~`";
        hold_out_error(message.into())
            .help(
                "score new branches alone, or write the term as a distribution of your own, \
                 `y[n] ~ own(…)` with a function `own_lpdf`",
            )
            .at(span)
    }

    /// Why data without any outcome cannot be scored.
    pub fn refuse_nothing_to_score(&self) -> DataError {
        let message = format!("no row of {} has an outcome to score", self.source_name());
        hold_out_error(message).help("`hbdc predict` fills empty outcomes with predictions")
    }

    fn too_few(&self, fraction: f64) -> DataError {
        let most = self.max_rows();
        let message = format!(
            "a share of {fraction} is less than one row in every branch: the largest has {most} rows"
        );
        hold_out_error(message)
            .help(format!("give a share of at least 1/{most}, or hold out whole branches"))
    }
}

fn hold_out_error(message: String) -> DataError {
    DataError::new(DataErrorKind::HoldOut, message)
}

/// `⌊n · fraction⌋`, where 0.29 of 100 is 29 although the product of floats is a little less;
/// never all of them.
fn share(n: usize, fraction: f64) -> usize {
    let n_out = (n as f64 * fraction + 1e-9).floor() as usize;
    n_out.min(n.saturating_sub(1))
}

/// Sets the share of `mask` to zero, at least one of it.
pub(super) fn hold_out_some(mask: &mut [f64], fraction: f64, seed: u64) {
    let n_out = share(mask.len(), fraction).max(1);
    hold_out_at_random(mask, n_out, hash(!hash(seed)));
}

fn hold_out_at_random(mask: &mut [f64], n_out: usize, branch_key: u64) {
    let mut draws: Vec<(u64, usize)> =
        (0..mask.len()).map(|row| (hash(branch_key ^ row as u64), row)).collect();
    draws.sort_unstable();
    for (_, row) in &draws[..n_out] {
        mask[*row] = 0.0;
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014): a bijection of 64-bit words whose
/// values at successive counters pass for random.
fn hash(counter: u64) -> u64 {
    let z = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_agrees_with_the_published_generator() {
        // The first outputs of SplitMix64 seeded with 0, whose state steps by the constant.
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        assert_eq!(hash(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(hash(step), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(hash(step.wrapping_mul(2)), 0x06c4_5d18_8009_454f);
    }

    #[test]
    fn shares_are_rounded_down_as_on_paper() {
        for (n, fraction, expected) in
            [(10, 0.1, 1), (100, 0.29, 29), (10, 0.3, 3), (1, 0.999_999_999_99, 0), (9, 0.5, 4)]
        {
            assert_eq!(share(n, fraction), expected, "{n} {fraction}");
        }
    }
}
