//! The conjugate model: data and exact answers, to hold fits against.
//!
//! θ ~ N(0, I), zᵢ|θ ~ N(θ, I), y_ij ~ N(x_ijᵀzᵢ, 1). With Λᵢ = I + XᵢᵀXᵢ and Sᵢ = Λᵢ⁻¹:
//! zᵢ|θ,y ~ N(SᵢXᵢᵀyᵢ + Sᵢθ, Sᵢ) and θ|y ~ N(P⁻¹ΣSᵢXᵢᵀyᵢ, P⁻¹), P = I + Σ(I − Sᵢ).

/// Data of the conjugate model.
pub struct Conjugate {
    pub n_local: usize,
    /// Rows of each branch, row-major.
    pub x: Vec<Vec<f64>>,
    /// Outcomes of each branch.
    pub y: Vec<Vec<f64>>,
}

/// What is known exactly.
pub struct Exact {
    pub log_evidence: f64,
    /// Mean of θ.
    pub mean: Vec<f64>,
    /// Precision P of θ, row-major.
    pub precision: Vec<f64>,
}

struct SplitMix {
    count: u64,
}

impl SplitMix {
    fn value(&mut self) -> f64 {
        self.count += 1;
        let mut x = 20_211_103u64.wrapping_add(self.count.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
        let uniform = (x >> 11) as f64 / (1u64 << 53) as f64;
        3.0f64.sqrt() * (2.0 * uniform - 1.0)
    }
}

impl Conjugate {
    /// The data set of that size; always the same.
    pub fn generate(n_branches: usize, n_rows: usize, n_local: usize) -> Self {
        let mut random = SplitMix { count: 0 };
        let theta: Vec<f64> = (0..n_local).map(|_| random.value()).collect();
        let mut data = Self { n_local, x: vec![], y: vec![] };
        for _ in 0..n_branches {
            let z: Vec<f64> = theta.iter().map(|t| t + random.value()).collect();
            let (mut xs, mut ys) = (vec![], vec![]);
            for _ in 0..n_rows {
                let x: Vec<f64> = (0..n_local).map(|_| random.value()).collect();
                ys.push(x.iter().zip(&z).map(|(a, b)| a * b).sum::<f64>() + random.value());
                xs.extend(x);
            }
            data.x.push(xs);
            data.y.push(ys);
        }
        data
    }

    /// The exact posterior of θ and log evidence.
    pub fn exact(&self) -> Exact {
        let d = self.n_local;
        let eye = |j: usize, k: usize| f64::from(u8::from(j == k));
        let mut precision: Vec<f64> = (0..d * d).map(|jk| eye(jk / d, jk % d)).collect();
        let mut sum = vec![0.0; d];
        let mut log_evidence = 0.0;
        for (xs, ys) in self.x.iter().zip(&self.y) {
            let mut lambda: Vec<f64> = (0..d * d).map(|jk| eye(jk / d, jk % d)).collect();
            let mut xy = vec![0.0; d];
            for (x, y) in xs.chunks_exact(d).zip(ys) {
                for j in 0..d {
                    xy[j] += x[j] * y;
                    for k in 0..d {
                        lambda[j * d + k] += x[j] * x[k];
                    }
                }
            }
            let (s, log_det) = invert(&lambda, d);
            let mut quadratic = 0.0;
            for j in 0..d {
                for k in 0..d {
                    precision[j * d + k] += eye(j, k) - s[j * d + k];
                    sum[j] += s[j * d + k] * xy[k];
                    quadratic += xy[j] * s[j * d + k] * xy[k];
                }
            }
            let yy: f64 = ys.iter().map(|y| y * y).sum();
            let normal = ys.len() as f64 * std::f64::consts::TAU.ln();
            log_evidence -= 0.5 * (normal + log_det + yy - quadratic);
        }
        let (covariance, log_det) = invert(&precision, d);
        let mean: Vec<f64> =
            (0..d).map(|j| (0..d).map(|k| covariance[j * d + k] * sum[k]).sum()).collect();
        let half: f64 = mean.iter().zip(&sum).map(|(m, s)| 0.5 * m * s).sum();
        Exact { log_evidence: log_evidence + half - 0.5 * log_det, mean, precision }
    }
}

impl Exact {
    /// Mean and covariance (row-major) of the locals of a branch with these rows `x` and outcomes `y`, θ
    /// integrated out: v = S(Xᵀy + m) and S + S P⁻¹ S. A fitted branch gives its own rows; a new
    /// one what rows it has, θ being what the fitted branches say of it.
    #[allow(dead_code)]
    pub fn locals(&self, x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let d = self.mean.len();
        let mut lambda: Vec<f64> =
            (0..d * d).map(|jk| f64::from(u8::from(jk / d == jk % d))).collect();
        let mut shift = self.mean.clone();
        for (x, y) in x.chunks_exact(d).zip(y) {
            for j in 0..d {
                shift[j] += x[j] * y;
                for k in 0..d {
                    lambda[j * d + k] += x[j] * x[k];
                }
            }
        }
        let (s, _) = invert(&lambda, d);
        let (p, _) = invert(&self.precision, d);
        let product = |a: &[f64], b: &[f64]| -> Vec<f64> {
            let element = |jk: usize| (0..d).map(|l| a[jk / d * d + l] * b[l * d + jk % d]).sum();
            (0..d * d).map(element).collect()
        };
        let by_theta = product(&product(&s, &p), &s);
        let covariance = s.iter().zip(&by_theta).map(|(a, b)| a + b).collect();
        let mean = (0..d).map(|j| (0..d).map(|k| s[j * d + k] * shift[k]).sum()).collect();
        (mean, covariance)
    }
}

/// Inverse and log determinant of a positive definite matrix (Gauss and Jordan).
pub fn invert(a: &[f64], d: usize) -> (Vec<f64>, f64) {
    let mut a = a.to_vec();
    let mut inverse: Vec<f64> =
        (0..d * d).map(|jk| f64::from(u8::from(jk / d == jk % d))).collect();
    let mut log_det = 0.0;
    for p in 0..d {
        let pivot = a[p * d + p];
        log_det += pivot.ln();
        for k in 0..d {
            a[p * d + k] /= pivot;
            inverse[p * d + k] /= pivot;
        }
        for j in (0..d).filter(|&j| j != p) {
            let factor = a[j * d + p];
            for k in 0..d {
                a[j * d + k] -= factor * a[p * d + k];
                inverse[j * d + k] -= factor * inverse[p * d + k];
            }
        }
    }
    (inverse, log_det)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_and_the_evidence_are_the_golden_ones() {
        let mut random = SplitMix { count: 0 };
        assert!((random.value() - 0.32688197).abs() < 1e-8);
        assert!((random.value() - 0.37097726).abs() < 1e-8);
        for (n, rows, d, golden) in [
            (2, 3, 2, -12.3223934857),
            (10, 100, 10, -1665.8215406),
            (10, 5, 10, -129.61375693),
            (1000, 100, 10, -164894.226082),
            (1000, 5, 10, -12599.484022),
        ] {
            let exact: f64 = Conjugate::generate(n, rows, d).exact().log_evidence;
            assert!((exact - golden).abs() < 1e-9 * exact.abs(), "{n} {rows} {d}: {exact}");
        }
    }
}
