//! A sampler of one's own on a compiled model: Hamiltonian Monte Carlo for eight schools.
//!
//! The library gives the log density and its gradient in unconstrained space; everything else
//! here is the embedder's. Run it with `cargo run --release --example embed`.

use std::error::Error;

use hbdc::{Dataset, Evaluator, Source};

const WARM_UP: usize = 1_000;
const DRAWS: usize = 20_000;
const STEP: f64 = 0.15;
const LEAPS: usize = 12;

/// Uniform numbers by xorshift, normal ones by Box and Muller.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A place, its log density and its gradient.
#[derive(Clone)]
struct State {
    position: Vec<f64>,
    log_density: f64,
    gradient: Vec<f64>,
}

impl State {
    fn at(evaluator: &mut Evaluator, position: Vec<f64>) -> Result<State, Box<dyn Error>> {
        let (log_density, gradient) = evaluator.log_density_gradient(&position)?;
        Ok(State { position, log_density, gradient: gradient.to_vec() })
    }
}

/// One trajectory by leapfrog, accepted or not.
fn step(
    evaluator: &mut Evaluator,
    from: &State,
    noise: &mut Noise,
) -> Result<State, Box<dyn Error>> {
    let kinetic = |momentum: &[f64]| 0.5 * momentum.iter().map(|p| p * p).sum::<f64>();
    let mut momentum: Vec<f64> = from.position.iter().map(|_| noise.normal()).collect();
    let energy = kinetic(&momentum) - from.log_density;
    // A step of random length, so that no trajectory closes on itself.
    let step = STEP * (0.5 + noise.uniform());
    let mut state = from.clone();
    let push = |momentum: &mut [f64], gradient: &[f64]| {
        momentum.iter_mut().zip(gradient).for_each(|(p, g)| *p += 0.5 * step * g);
    };
    for _ in 0..LEAPS {
        push(&mut momentum, &state.gradient);
        let moved = state.position.iter().zip(&momentum).map(|(x, p)| x + step * p).collect();
        state = State::at(evaluator, moved)?;
        push(&mut momentum, &state.gradient);
    }
    let error = kinetic(&momentum) - state.log_density - energy;
    let accepted = noise.uniform().ln() < -error;
    Ok(if accepted { state } else { from.clone() })
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/models/eight_schools");
    let text = std::fs::read_to_string(format!("{root}.hbd"))?;
    let model = hbdc::compile(&Source::new("eight_schools.hbd", text))?;
    let data = Dataset::read_csv(format!("{root}.csv"))?.bind(model.schema())?;
    let mut evaluator = model.evaluator(&data)?;

    let mut noise = Noise(20_211_103);
    let origin = vec![0.0; evaluator.dimension()];
    let mut state = State::at(&mut evaluator, origin)?;
    let n_global = evaluator.global_layout().len();
    let mut sums = vec![0.0; evaluator.reported_layout().len()];
    for draw in 0..WARM_UP + DRAWS {
        state = step(&mut evaluator, &state, &mut noise)?;
        if draw >= WARM_UP {
            let reported = evaluator.reported(&state.position[..n_global]);
            sums.iter_mut().zip(reported).for_each(|(sum, x)| *sum += x);
        }
    }
    for variable in evaluator.reported_layout().variables() {
        for (name, place) in variable.elements() {
            println!("{name:4} posterior mean {:.2}", sums[place] / DRAWS as f64);
        }
    }
    Ok(())
}
