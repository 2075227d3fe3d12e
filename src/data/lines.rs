//! Where each row stood in its file, kept in little memory.

/// The place of each row of a data set: a line of a file, a row of a file without lines, or a
/// position in columns that were given directly.
///
/// Rows mostly stand on successive lines, so only the rows where that changes are kept.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    source: String,
    unit: Unit,
    n_rows: usize,
    /// Row and number from which on `number - row` is constant.
    breaks: Vec<(usize, u64)>,
}

/// What rows are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Lines,
    #[cfg_attr(not(feature = "parquet"), expect(dead_code))]
    RowsOfFile,
    RowsGiven,
}

impl Lines {
    /// No rows yet; `source` is the name of the file.
    pub(super) fn of_file(source: &str) -> Lines {
        Lines { source: source.to_string(), unit: Unit::Lines, n_rows: 0, breaks: Vec::new() }
    }

    /// No rows yet, of a file that has no lines.
    #[cfg(feature = "parquet")]
    pub(super) fn of_rows(source: &str) -> Lines {
        Lines { unit: Unit::RowsOfFile, ..Lines::of_file(source) }
    }

    /// No rows yet, of columns given directly.
    pub(super) fn of_columns(source: &str) -> Lines {
        Lines { unit: Unit::RowsGiven, ..Lines::of_file(source) }
    }

    /// What messages call the data.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// How many rows there are.
    pub(super) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The next row stands on line `number` (or is the row of this number).
    pub(super) fn push(&mut self, number: u64) {
        if self.breaks.is_empty() || self.number(self.n_rows) != number {
            self.breaks.push((self.n_rows, number));
        }
        self.n_rows += 1;
    }

    /// The line, or the number from 1 where there are no lines, of a row in order of reading.
    pub(super) fn number(&self, row: usize) -> u64 {
        let after = self.breaks.partition_point(|(first, _)| *first <= row);
        let (first, number) = self.breaks[after - 1];
        number + (row - first) as u64
    }

    /// Where a row stands in its file: the line, counted from one with the header, or the number
    /// of the row where there are no lines.
    pub(super) fn line(&self, row: usize) -> Option<u64> {
        (self.unit != Unit::RowsGiven).then(|| self.number(row))
    }

    /// A row as messages name it where the source is known from the context.
    pub(super) fn short(&self, row: usize) -> String {
        self.short_number(self.number(row))
    }

    fn short_number(&self, number: u64) -> String {
        match self.unit {
            Unit::Lines => format!("line {number}"),
            Unit::RowsOfFile | Unit::RowsGiven => format!("row {number}"),
        }
    }

    /// A row as messages name it.
    pub(super) fn place(&self, row: usize) -> String {
        self.place_number(self.number(row))
    }

    /// The same for a row that was not kept.
    pub(super) fn place_number(&self, number: u64) -> String {
        match self.unit {
            Unit::Lines => format!("{}:{number}", self.source),
            Unit::RowsOfFile | Unit::RowsGiven => format!("{}, row {number}", self.source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let numbers = [2, 3, 4, 9, 10, 15, 16];
        let mut lines = Lines::of_file("f.csv");
        numbers.iter().for_each(|&number| lines.push(number));
        for (row, &number) in numbers.iter().enumerate() {
            assert_eq!(lines.line(row), Some(number));
        }
        assert_eq!(lines.breaks.len(), 3);
        assert_eq!(lines.place(3), "f.csv:9");
    }
}
