//! Counter-based random numbers: Philox 4×32-10 (Salmon, Moraes, Dror and Shaw, SC 2011).
//!
//! A number is a pure function of the seed and of what it is for, so the same bits come for any
//! number of threads, in any order, and after a resume. Logarithm, sine and cosine come from the
//! `libm` crate, which gives the same bits on every machine.

use std::f64::consts::TAU;

/// What a stream of numbers is for. Streams of different purpose never overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Noise of θ in training.
    GlobalNoise = 0,
    /// Noise of zᵢ in training.
    LocalNoise = 1,
    /// The order of branches in an epoch, and subsets of branches.
    Shuffle = 2,
    /// Draws of θ from the posterior.
    GlobalDraws = 4,
    /// Draws of zᵢ from the posterior.
    LocalDraws = 5,
    /// Drawing data.
    Simulate = 6,
    /// First weights of networks.
    Initial = 7,
    /// Noise of θ on which the ELBO is watched.
    WatchGlobal = 8,
    /// Noise of zᵢ on which the ELBO is watched.
    WatchLocal = 9,
    /// Noise of θ for the final ELBO.
    ElboGlobal = 10,
    /// Noise of zᵢ for the final ELBO.
    ElboLocal = 11,
    /// Noise of zᵢ for importance weights.
    WeightLocal = 12,
    /// Resampling by importance weights.
    Resample = 13,
    /// Sides and draws of θ in the start search.
    Start = 14,
    /// Noise of zᵢ for scores of data that were not fitted.
    ScoreLocal = 15,
    /// Seeds and ties of a calibration, and the law of its test.
    Calibrate = 16,
    /// Directions of θ in Newton steps of q(θ).
    NewtonGlobal = 17,
    /// Noise of zᵢ in them.
    NewtonLocal = 18,
}

/// One block: the ten rounds of Philox 4×32.
pub fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xD251_1F53;
        let b = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

/// A stream of up to 2²⁹ numbers, told apart by seed, purpose, step, branch and particle.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    step: u32,
    branch: u32,
    particle: u32,
    purpose: u32,
    block: u32,
    spare: Option<u64>,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream at its start.
    pub fn new(seed: u64, purpose: Purpose, step: usize, branch: usize, particle: usize) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            step: step as u32,
            branch: branch as u32,
            particle: particle as u32,
            purpose: purpose as u32,
            block: 0,
            spare: None,
            spare_normal: None,
        }
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let last = self.purpose << 28 | self.block & 0x0FFF_FFFF;
        self.block += 1;
        let [a, b, c, d] = philox([self.step, self.branch, self.particle, last], self.key);
        self.spare = Some(u64::from(c) | u64::from(d) << 32);
        u64::from(a) | u64::from(b) << 32
    }

    /// The next number uniform on the open interval (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }

    /// The next standard normal number (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        let (sin, cos) = libm::sincos(TAU * self.uniform());
        self.spare_normal = Some(radius * sin);
        radius * cos
    }

    /// Fills `out` with standard normal numbers.
    pub fn normals(&mut self, out: &mut [f64]) {
        out.fill_with(|| self.normal());
    }

    /// A number below `n`, which is positive; the bias is below n / 2⁵³.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n - 1)
    }

    /// Brings `items` into random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_known_answers_of_random123() {
        let ones = u32::MAX;
        assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(philox([ones; 4], [ones; 2]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        assert_eq!(
            philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn normals_have_the_moments_of_the_standard_normal() {
        let mut draws = vec![0.0; 200_000];
        Stream::new(7, Purpose::Simulate, 0, 0, 0).normals(&mut draws);
        for (power, expected, se) in
            [(1, 0.0, 1.0f64), (2, 1.0, 2.0f64.sqrt()), (3, 0.0, 15.0f64.sqrt()), (4, 3.0, 9.8)]
        {
            let mean = draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
            assert!((mean - expected).abs() < 4.0 * se / (draws.len() as f64).sqrt(), "{power}");
        }
    }

    #[test]
    fn every_part_of_the_address_changes_the_stream() {
        let first = |seed, purpose, step, branch, particle| {
            Stream::new(seed, purpose, step, branch, particle).bits()
        };
        let base = first(1, Purpose::GlobalNoise, 2, 3, 4);
        assert_eq!(base, first(1, Purpose::GlobalNoise, 2, 3, 4));
        assert_ne!(base, first(1 << 32, Purpose::GlobalNoise, 2, 3, 4));
        assert_ne!(base, first(1, Purpose::LocalNoise, 2, 3, 4));
        assert_ne!(base, first(1, Purpose::GlobalNoise, 3, 3, 4));
        assert_ne!(base, first(1, Purpose::GlobalNoise, 2, 4, 4));
        assert_ne!(base, first(1, Purpose::GlobalNoise, 2, 3, 5));
    }

    #[test]
    fn a_shuffle_is_a_permutation() {
        let mut items: Vec<usize> = (0..100).collect();
        Stream::new(3, Purpose::Shuffle, 0, 0, 0).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
