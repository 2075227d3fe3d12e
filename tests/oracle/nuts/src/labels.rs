//! Variables whose first indices are labels that mean nothing, as the numbers of topics. Chains
//! that settled in other numberings of the same mode are renumbered as a whole.

/// Names of such variables; all are renumbered together.
pub struct Labels<'a>(pub &'a [String]);

impl Labels<'_> {
    /// The variable, the label from zero, and what follows it, where an element has one.
    fn parts<'e>(&self, element: &'e str) -> Option<(&'e str, usize, &'e str)> {
        let (variable, index) = element.split_once('[')?;
        if !self.0.iter().any(|name| name == variable) {
            return None;
        }
        let end = index.find([',', ']'])?;
        let label: usize = index[..end].parse().ok()?;
        Some((variable, label.checked_sub(1)?, &index[end..]))
    }

    /// Number of labels among these elements.
    fn count(&self, elements: &[(String, usize)]) -> usize {
        let labels = elements.iter().filter_map(|(name, _)| Some(self.parts(name)?.1 + 1));
        labels.max().unwrap_or(0)
    }

    /// For each element the one whose draws become its own under a renumbering.
    pub fn sources(&self, elements: &[(String, usize)], numbers: &[usize]) -> Vec<usize> {
        let source = |(k, (name, _)): (usize, &(String, usize))| {
            let Some((variable, label, rest)) = self.parts(name) else { return k };
            let renamed = format!("{variable}[{}{rest}", numbers[label] + 1);
            let place = elements.iter().position(|(other, _)| *other == renamed);
            place.expect("labels of a variable are complete")
        };
        elements.iter().enumerate().map(source).collect()
    }

    /// The renumbering that brings the means of a chain nearest to those of another.
    pub fn nearest(
        &self,
        elements: &[(String, usize)],
        own: &[f64],
        wanted: &[f64],
    ) -> Option<Vec<usize>> {
        let distance = |numbers: &Vec<usize>| -> f64 {
            let sources = self.sources(elements, numbers);
            let pairs = sources.iter().zip(wanted);
            pairs.map(|(&source, wanted)| (own[source] - wanted).powi(2)).sum()
        };
        let n = self.count(elements);
        let all = permutations(n).into_iter().map(|numbers| (distance(&numbers), numbers));
        let nearest = all.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, numbers)| numbers);
        nearest.filter(|_| n > 0)
    }
}

/// All orders of 0..n.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..n {
        let longer = |begun: &Vec<usize>| -> Vec<Vec<usize>> {
            let free = (0..n).filter(|k| !begun.contains(k));
            free.map(|k| begun.iter().copied().chain([k]).collect()).collect()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_with_other_numbers_is_renumbered_to_the_first() {
        let names = ["phi[1,1]", "phi[1,2]", "phi[2,1]", "phi[2,2]", "s"];
        let elements: Vec<(String, usize)> = names.iter().map(|n| (n.to_string(), 0)).collect();
        let exchangeable = ["phi".to_string()];
        let labels = Labels(&exchangeable);
        let (first, second) = ([0.1, 0.9, 0.6, 0.4, 2.0], [0.6, 0.4, 0.1, 0.9, 2.0]);
        let numbers = labels.nearest(&elements, &second, &first).expect("there are labels");
        assert_eq!(labels.sources(&elements, &numbers), [2, 3, 0, 1, 4]);
    }
}
