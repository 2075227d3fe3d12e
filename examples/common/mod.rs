//! What several examples share: the approximations that can be fitted.

use std::fmt;

use hbdc::{Coupling, Covariance, Encoder, Family, FitConfig};

/// One approximation.
#[derive(Clone, Copy)]
pub struct Approximation {
    pub family: Family,
    pub covariance: Covariance,
    pub encoder: Encoder,
    pub coupling: Option<Coupling>,
}

impl Approximation {
    /// All that there are.
    pub fn all() -> Vec<Self> {
        use Covariance::{Block, Dense, Diagonal, Prior};
        let mut all = vec![Self::new(Family::Joint, Dense)];
        for covariance in [Dense, Block, Diagonal, Prior] {
            all.push(Self::new(Family::Branch, covariance));
            if covariance == Dense {
                let coupling = Some(Coupling::Theta);
                all.push(Self { coupling, ..Self::new(Family::Branch, Dense) });
            }
        }
        for encoder in [Encoder::Newton, Encoder::Sites, Encoder::Pooled] {
            for covariance in [Prior, Dense, Block, Diagonal] {
                all.push(Self { encoder, ..Self::new(Family::Amortized, covariance) });
            }
        }
        all
    }

    fn new(family: Family, covariance: Covariance) -> Self {
        Self { family, covariance, encoder: Encoder::Newton, coupling: None }
    }

    /// These settings with this approximation.
    pub fn config(self, config: FitConfig) -> FitConfig {
        let config = config.family(self.family).covariance(self.covariance);
        let config = config.encoder(self.encoder);
        self.coupling.map_or(config.clone(), |coupling| config.coupling(coupling))
    }
}

impl fmt::Display for Approximation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.family, self.covariance)?;
        match (self.family, self.coupling) {
            (Family::Amortized, _) => write!(f, " {:?}", self.encoder),
            (_, Some(coupling)) => write!(f, " {coupling:?}"),
            _ => Ok(()),
        }
    }
}
