//! Truncated Taylor series in two variables, by which functions of two arguments get their
//! partial derivatives.

/// The highest total order.
pub const MAX_ORDER: usize = 5;

/// `Σ c[i][j] δⁱ εʲ` over `i + j <= order`.
#[derive(Clone, Copy, Debug)]
pub struct Jet {
    /// What higher orders are dropped.
    pub order: usize,
    /// Coefficients; those beyond the order are zero.
    pub c: [[f64; MAX_ORDER + 1]; MAX_ORDER + 1],
}

impl Jet {
    /// Coefficients by a rule.
    pub fn from_fn(order: usize, rule: impl Fn(usize, usize) -> f64) -> Self {
        let mut c = [[0.0; MAX_ORDER + 1]; MAX_ORDER + 1];
        for (i, row) in c.iter_mut().enumerate().take(order + 1) {
            for (j, coefficient) in row.iter_mut().enumerate().take(order + 1 - i) {
                *coefficient = rule(i, j);
            }
        }
        Jet { order, c }
    }

    /// The value at the centre.
    pub fn value(&self) -> f64 {
        self.c[0][0]
    }

    /// The sum.
    pub fn plus(&self, other: &Jet) -> Jet {
        Jet::from_fn(self.order, |i, j| self.c[i][j] + other.c[i][j])
    }

    /// The product.
    pub fn times(&self, other: &Jet) -> Jet {
        Jet::from_fn(self.order, |i, j| {
            let mut sum = 0.0;
            for k in 0..=i {
                for l in 0..=j {
                    sum += self.c[k][l] * other.c[i - k][j - l];
                }
            }
            sum
        })
    }

    /// A function of the series, given its own Taylor coefficients at [`Jet::value`].
    pub fn compose(&self, coefficients: &[f64]) -> Jet {
        let mut rest = *self;
        rest.c[0][0] = 0.0;
        let constant = |x: f64| Jet::from_fn(self.order, |i, j| if i + j == 0 { x } else { 0.0 });
        let mut sum = constant(coefficients[self.order]);
        for &coefficient in coefficients[..self.order].iter().rev() {
            sum = sum.times(&rest);
            sum.c[0][0] = coefficient;
        }
        sum
    }

    /// The logarithm.
    pub fn ln(&self) -> Jet {
        let x = self.value();
        let mut coefficients = [x.ln(); MAX_ORDER + 1];
        let mut power = -1.0;
        for (k, coefficient) in coefficients.iter_mut().enumerate().skip(1) {
            power /= -x;
            *coefficient = power / k as f64;
        }
        self.compose(&coefficients)
    }

    /// `e` to this power.
    pub fn exp(&self) -> Jet {
        let mut coefficients = [self.value().exp(); MAX_ORDER + 1];
        for k in 1..=MAX_ORDER {
            coefficients[k] = coefficients[k - 1] / k as f64;
        }
        self.compose(&coefficients)
    }

    /// `ln(1 - eˣ)` of a negative series: what remains of a probability, in the logarithm.
    pub fn ln_rest(&self) -> Jet {
        let chance = self.exp();
        let y = chance.value();
        let mut coefficients = [(-y).ln_1p(); MAX_ORDER + 1];
        let mut power = -1.0;
        for (k, coefficient) in coefficients.iter_mut().enumerate().skip(1) {
            power /= 1.0 - y;
            *coefficient = power / k as f64;
        }
        chance.compose(&coefficients)
    }

    /// The partial derivative of these orders, not beyond the order in sum.
    pub fn partial(&self, i: usize, j: usize) -> f64 {
        let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
        self.c[i][j] * factorial(i) * factorial(j)
    }
}
