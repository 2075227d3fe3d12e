//! Work over branches on several threads, with the same bits for any number of them.
//!
//! A list of branches is cut into shards whose borders depend on sizes only; each shard has its
//! own clone of the target, and results come back in the order of shards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::target::Target;

/// Clones of the target, each with work space of its own.
pub const MAX_SHARDS: usize = 16;
/// Rows (or as many branches) below which a shard is not worth a thread.
const MIN_SHARD: usize = 200;

/// Clones of the target and the threads they run on.
pub struct Shards<T> {
    targets: Vec<T>,
    pool: Option<rayon::ThreadPool>,
    stop: Stop,
}

/// Whether the caller asked to stop. Once set it stays so. Long loops look at it and end early;
/// who called them looks again, and uses nothing of what they gave if it is set.
#[derive(Clone, Debug, Default)]
pub struct Stop(Option<Arc<AtomicBool>>);

impl Stop {
    /// Set where the flag is true; never without a flag.
    pub fn new(flag: Option<Arc<AtomicBool>>) -> Self {
        Self(flag)
    }

    /// Whether to stop.
    pub fn is_set(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

impl<T: Target> Shards<T> {
    /// With `threads` threads of its own, or those of the caller's pool.
    pub fn new(target: &T, threads: Option<usize>) -> Self {
        let build = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().ok();
        let pool = threads.and_then(build);
        Self { targets: vec![target.clone(); MAX_SHARDS], pool, stop: Stop::default() }
    }

    /// Lets long loops end early once `stop` is set.
    pub fn stopping_at(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Whether the caller asked to stop.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// A clone for work on θ alone.
    pub fn target(&mut self) -> &mut T {
        &mut self.targets[0]
    }

    /// Applies `work` to each shard of `branches`; `work` also gets where its shard starts.
    pub fn map<A: Send>(
        &mut self,
        branches: &[usize],
        work: impl Fn(&mut T, &[usize]) -> A + Sync,
    ) -> Vec<A> {
        let shards = self.cut(branches);
        if shards.len() == 1 {
            return vec![work(&mut self.targets[0], shards[0])];
        }
        let Self { targets, pool, .. } = self;
        let mut run = || {
            let pairs = targets.par_iter_mut().zip(shards.par_iter());
            pairs.map(|(target, shard)| work(target, shard)).collect()
        };
        match pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }

    /// Runs of branches of about equal work.
    fn cut<'a>(&self, branches: &'a [usize]) -> Vec<&'a [usize]> {
        let cost = |&branch: &usize| self.targets[0].n_rows(branch) + 16;
        let total: usize = branches.iter().map(cost).sum();
        let count = (total / MIN_SHARD).clamp(1, MAX_SHARDS);
        let mut shards = Vec::with_capacity(count);
        let (mut start, mut done) = (0, 0);
        for (end, branch) in branches.iter().enumerate() {
            done += cost(branch);
            if done * count >= total * (shards.len() + 1) && shards.len() + 1 < count {
                shards.push(&branches[start..=end]);
                start = end + 1;
            }
        }
        shards.push(&branches[start..]);
        shards
    }
}
