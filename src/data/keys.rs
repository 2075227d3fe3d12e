//! Keys and levels: distinct texts, their order, and how they are stored.
//!
//! Keys of branches order as numbers where every value of a component is a canonical integer (no
//! leading zero, no plus sign, of any length), else by bytes; compound keys component by
//! component. Levels of factors and keys of tables may have decimals too.

use std::cmp::Ordering;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// An empty slot of the table.
const VACANT: u32 = u32::MAX;
/// Numbers below this are found by themselves, without a hash.
const SMALL: usize = 1 << 20;

/// Numbers distinct byte strings 0, 1, … in order of first appearance.
///
/// The strings lie one after another in one buffer; the table holds their numbers only, so
/// that a key costs its bytes and some twenty more.
#[derive(Debug, Default)]
pub(super) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    table: Vec<u32>,
    hasher: RandomState,
    last: Option<u32>,
    /// The string of each small number that was seen, as a key of one component.
    small: Vec<u32>,
}

impl Interner {
    /// How many distinct strings there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The string of this number.
    pub(super) fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }

    /// The number of `text`, if it was seen.
    pub(super) fn find(&self, text: &[u8]) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        Some(self.table[self.slot(text)]).filter(|&id| id != VACANT)
    }

    /// The number of `text`. There may be fewer than 2^32 - 1 of them, which the limit on
    /// rows guarantees.
    pub(super) fn intern(&mut self, text: &[u8]) -> u32 {
        let Some(number) = small_number(text) else {
            return self.intern_any(text);
        };
        if let Some(&id) = self.small.get(number).filter(|&&id| id != VACANT) {
            return id;
        }
        let id = self.intern_any(text);
        if number >= self.small.len() {
            self.small.resize((number + 1).next_power_of_two(), VACANT);
        }
        self.small[number] = id;
        id
    }

    fn intern_any(&mut self, text: &[u8]) -> u32 {
        // Files are mostly sorted by their key, so the last one is the best guess.
        if let Some(last) = self.last.filter(|&last| self.get(last) == text) {
            return last;
        }
        if (self.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        let slot = self.slot(text);
        if self.table[slot] == VACANT {
            self.table[slot] = u32::try_from(self.len()).expect("fewer keys than rows");
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len());
        }
        self.last = Some(self.table[slot]);
        self.table[slot]
    }

    /// Where `text` is in the table, or would be.
    fn slot(&self, text: &[u8]) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = self.hasher.hash_one(text) as usize & mask;
        while self.table[slot] != VACANT && self.get(self.table[slot]) != text {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let n_slots = (self.table.len() * 2).max(16);
        self.table = vec![VACANT; n_slots];
        for id in 0..self.len() as u32 {
            let slot = self.slot(self.get(id));
            self.table[slot] = id;
        }
    }
}

/// The number below [`SMALL`] that a key of one component, as [`push_component`] writes it, is the
/// canonical text of. No two keys are of one number.
fn small_number(key: &[u8]) -> Option<usize> {
    let (length, digits) = key.split_first_chunk::<8>()?;
    let is_canonical = digits.first().is_some_and(|&digit| digit != b'0' || digits.len() == 1);
    if digits.len() > 7 || u64::from_le_bytes(*length) != digits.len() as u64 || !is_canonical {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        number = 10 * number + usize::from(value);
    }
    (number < SMALL).then_some(number)
}

/// Writes one component of a compound key behind the others: its length, then its bytes.
pub(super) fn push_component(key: &mut Vec<u8>, component: &[u8]) {
    key.extend_from_slice(&(component.len() as u64).to_le_bytes());
    key.extend_from_slice(component);
}

/// The components of a key that [`push_component`] wrote.
pub(super) fn components(mut key: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = key.split_first_chunk::<8>()?;
        let (component, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
        key = rest;
        Some(component)
    })
}

/// Whether `text` is how an integer is written: `0`, or digits that do not begin with 0, with
/// a minus sign or none.
pub(super) fn is_canonical_integer(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    match digits {
        [b'0'] => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Order of two canonical integers of any length.
fn compare_integers(a: &[u8], b: &[u8]) -> Ordering {
    let by_magnitude = |a: &[u8], b: &[u8]| a.len().cmp(&b.len()).then_with(|| a.cmp(b));
    match (a.strip_prefix(b"-"), b.strip_prefix(b"-")) {
        (Some(a), Some(b)) => by_magnitude(b, a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => by_magnitude(a, b),
    }
}

/// Which texts order as numbers where all texts are such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numeric {
    /// Canonical integers.
    Integers,
    /// These, or numbers with a point and digits on both sides of it.
    Decimals,
}

/// How the texts of one component are ordered.
#[derive(Clone, Copy)]
enum Order {
    Integers,
    Decimals,
    Bytes,
}

impl Order {
    fn of<'a>(texts: impl Iterator<Item = &'a [u8]> + Clone, numeric: Numeric) -> Order {
        if texts.clone().all(is_canonical_integer) {
            Order::Integers
        } else if numeric == Numeric::Decimals && texts.clone().all(|t| decimal(t).is_some()) {
            Order::Decimals
        } else {
            Order::Bytes
        }
    }

    fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            Order::Integers => compare_integers(a, b),
            Order::Decimals => {
                let value = |text| decimal(text).unwrap_or(f64::NAN);
                value(a).total_cmp(&value(b)).then_with(|| a.cmp(b))
            }
            Order::Bytes => a.cmp(b),
        }
    }
}

/// The value of a canonical integer, or of one with a point and digits behind it.
fn decimal(text: &[u8]) -> Option<f64> {
    let (whole, fraction) = match text.iter().position(|&byte| byte == b'.') {
        Some(point) => (&text[..point], Some(&text[point + 1..])),
        None => (text, None),
    };
    let is_digits = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let is_number =
        (is_canonical_integer(whole) || whole == b"-0") && fraction.is_none_or(is_digits);
    is_number.then(|| std::str::from_utf8(text).ok()?.parse().ok())?
}

/// The rank of each distinct key, and the keys' numbers in that order.
///
/// `texts` holds `n_components` texts a key, key after key.
pub(super) fn rank(texts: &[&[u8]], n_components: usize, numeric: Numeric) -> (Vec<u32>, Vec<u32>) {
    let n_keys = texts.len() / n_components;
    let orders: Vec<Order> = (0..n_components)
        .map(|c| Order::of(texts.iter().skip(c).step_by(n_components).copied(), numeric))
        .collect();
    let key = |id: u32| &texts[id as usize * n_components..][..n_components];
    let compare = |a: &u32, b: &u32| {
        let pairs = key(*a).iter().zip(key(*b)).zip(&orders);
        let mut orders = pairs.map(|((a, b), order)| order.compare(a, b));
        orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    };
    let mut sorted: Vec<u32> = (0..n_keys as u32).collect();
    sorted.sort_unstable_by(compare);
    let mut ranks = vec![0; n_keys];
    for (rank, id) in sorted.iter().enumerate() {
        ranks[*id as usize] = rank as u32;
    }
    (ranks, sorted)
}

/// The key of each branch, in branch order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeyTexts {
    text: String,
    ends: Vec<usize>,
    n_components: usize,
}

impl KeyTexts {
    pub(super) fn new(n_components: usize) -> KeyTexts {
        KeyTexts { text: String::new(), ends: Vec::new(), n_components }
    }

    /// Their bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.text.len() + size_of_val(self.ends.as_slice())
    }

    /// Appends one component of the next key. Bytes that are not UTF-8 are replaced.
    pub(super) fn push(&mut self, component: &[u8]) {
        self.text.push_str(&String::from_utf8_lossy(component));
        self.ends.push(self.text.len());
    }

    /// The components of a branch's key.
    pub(super) fn get(&self, branch: usize) -> Vec<&str> {
        let first = branch * self.n_components;
        (first..first + self.n_components).map(|at| self.component(at)).collect()
    }

    fn component(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(texts: &[&str], n_components: usize) -> Vec<u32> {
        let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        rank(&bytes, n_components, Numeric::Integers).1
    }

    #[test]
    fn canonical_integers() {
        for text in ["0", "7", "-3", "10", "18446744073709551617"] {
            assert!(is_canonical_integer(text.as_bytes()), "{text}");
        }
        for text in ["", "-", "-0", "01", "+1", "1.0", "1e3", " 1", "x", "--1"] {
            assert!(!is_canonical_integer(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn integers_order_as_numbers_and_one_exception_makes_all_text() {
        assert_eq!(sorted(&["10", "9", "-2", "-10", "0"], 1), [3, 2, 4, 1, 0]);
        assert_eq!(sorted(&["10", "9", "01"], 1), [2, 0, 1]);
        assert_eq!(sorted(&["18446744073709551617", "18446744073709551616", "5"], 1), [2, 1, 0]);
    }

    #[test]
    fn integers_order_as_machine_integers_do() {
        let numbers: Vec<i64> = (-40..40).map(|k| k * k * k * 977 - 13 * k).collect();
        let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut expected: Vec<u32> = (0..numbers.len() as u32).collect();
        expected.sort_by_key(|&id| numbers[id as usize]);
        assert_eq!(sorted(&texts, 1), expected);
    }

    #[test]
    fn levels_may_have_decimals() {
        let sorted = |texts: &[&str]| {
            let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
            rank(&bytes, 1, Numeric::Decimals).1
        };
        assert_eq!(sorted(&["10", "2.5", "-0.5", "-10", "9.75"]), [3, 2, 1, 4, 0]);
        assert_eq!(sorted(&["10.0", "2.0", "2"]), [2, 1, 0], "equal numbers by their texts");
        for odd in ["01.5", "1.", ".5", "1e3", "x"] {
            assert_eq!(decimal(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn compound_keys_order_component_by_component() {
        // The first component is text, the second numeric.
        assert_eq!(sorted(&["b", "2", "a", "10", "a", "9"], 2), [2, 1, 0]);
    }

    #[test]
    fn interning_numbers_by_first_appearance() {
        let mut interner = Interner::default();
        let words: Vec<String> = (0..5000).map(|k| format!("w{}", k % 1237)).collect();
        for (position, word) in words.iter().enumerate() {
            assert_eq!(interner.intern(word.as_bytes()), (position % 1237) as u32);
        }
        assert_eq!(interner.len(), 1237);
        assert_eq!(interner.get(1236), b"w1236");
    }

    /// Small numbers take another way than other texts; neither is taken for the other.
    #[test]
    fn texts_that_look_like_numbers_are_told_apart() {
        let plain: Vec<String> = [0, 7, 10, 999_999, 1_048_575, 1_048_576, 9_999_999, 10_000_000]
            .iter()
            .flat_map(|n| [format!("{n}"), format!("0{n}"), format!("-{n}"), format!("{n} ")])
            .chain(["", "-", "1.0", "1e3", "/", ":", "٣"].map(String::from))
            .collect();
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for text in &plain {
            let mut key = Vec::new();
            push_component(&mut key, text.as_bytes());
            keys.push(key.clone());
            push_component(&mut key, b"1");
            keys.push(key);
            keys.push(text.as_bytes().to_vec());
        }
        let mut interner = Interner::default();
        let mut known = std::collections::HashMap::new();
        for round in 0..2 {
            for key in &keys {
                let next = known.len() as u32;
                let expected = *known.entry(key.clone()).or_insert(next);
                assert_eq!(interner.intern(key), expected, "{key:?} in round {round}");
                assert_eq!(interner.find(key), Some(expected));
            }
        }
    }

    #[test]
    fn components_come_back() {
        let mut key = Vec::new();
        for component in [&b"a"[..], b"", b"b\0c"] {
            push_component(&mut key, component);
        }
        assert_eq!(components(&key).collect::<Vec<_>>(), [&b"a"[..], b"", b"b\0c"]);
    }
}
