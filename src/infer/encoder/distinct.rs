//! Rows that are equal are read by a network once: ratings of the same film by many users, the
//! same conditions in many trials.

use std::hash::{BuildHasher, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Rows without those that were there before.
#[derive(Clone, Debug, Default)]
pub struct Distinct {
    /// One row after another, in the order in which they came.
    pub rows: Vec<f64>,
    /// For each row that was added its number among `rows`.
    pub places: Vec<u32>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Distinct {
    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.places.clear();
        self.table.clear();
    }

    /// Adds rows of `width` numbers each; those of the same bits are the same.
    pub fn add(&mut self, rows: &[f64], width: usize) {
        let Self { rows: kept, places, table, hasher } = self;
        for row in rows.chunks_exact(width) {
            let hash = |row: &[f64]| {
                let mut hasher = hasher.build_hasher();
                row.iter().for_each(|x| hasher.write_u64(x.to_bits()));
                hasher.finish()
            };
            let at = |place: u32| place as usize * width..(place as usize + 1) * width;
            let is_same = |&place: &u32| {
                let there = kept[at(place)].iter().map(|x| x.to_bits());
                there.eq(row.iter().map(|x| x.to_bits()))
            };
            let own = hash(row);
            let place = match table.find(own, is_same) {
                Some(&place) => place,
                None => {
                    let place = (kept.len() / width) as u32;
                    table.insert_unique(own, place, |&place| hash(&kept[at(place)]));
                    kept.extend_from_slice(row);
                    place
                }
            };
            places.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_same_bits_are_one() {
        let mut distinct = Distinct::default();
        for _ in 0..2 {
            distinct.clear();
            distinct.add(&[1.0, 2.0, 0.0, f64::NAN, 1.0, 2.0], 2);
            distinct.add(&[2.0, 1.0, -0.0, f64::NAN, 0.0, f64::NAN], 2);
            assert_eq!(distinct.places, [0, 1, 0, 2, 3, 1]);
            assert_eq!(distinct.rows.len(), 8);
            assert_eq!(distinct.rows[..2], [1.0, 2.0]);
            assert_eq!(distinct.rows[4..6], [2.0, 1.0]);
        }
        let many: Vec<f64> = (0..4000).map(|k| f64::from(k % 1000)).collect();
        distinct.clear();
        distinct.add(&many, 1);
        assert_eq!(distinct.rows, many[..1000]);
        assert!(distinct.places.iter().enumerate().all(|(k, &place)| place as usize == k % 1000));
    }
}
