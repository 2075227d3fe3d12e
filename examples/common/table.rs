//! A CSV file as text, for data that are changed or parted before they are fitted.

use std::error::Error;
use std::path::Path;

use hbdc::{Column, Dataset};

pub struct Table {
    pub names: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn read(path: &Path) -> Result<Table, Box<dyn Error>> {
        Table::from_reader(csv::Reader::from_path(path)?)
    }

    pub fn from_reader(
        mut reader: csv::Reader<impl std::io::Read>,
    ) -> Result<Table, Box<dyn Error>> {
        let names = reader.headers()?.iter().map(str::to_string).collect();
        let mut rows = Vec::new();
        for row in reader.records() {
            rows.push(row?.iter().map(str::to_string).collect());
        }
        Ok(Table { names, rows })
    }

    /// Different values of the first column, as they first come.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for row in &self.rows {
            if !keys.contains(&row[0]) {
                keys.push(row[0].clone());
            }
        }
        keys
    }

    /// The rows with these values of the first column.
    pub fn part(&self, is_wanted: &dyn Fn(&str) -> bool) -> Table {
        let rows = self.rows.iter().filter(|row| is_wanted(&row[0])).cloned().collect();
        Table { names: self.names.clone(), rows }
    }

    /// A column of numbers.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, Box<dyn Error>> {
        let place = self.names.iter().position(|known| known == name).ok_or("no such column")?;
        self.rows.iter().map(|row| Ok(row[place].parse::<f64>()?)).collect()
    }

    /// The table with some columns given anew.
    pub fn dataset_with(&self, given: &[(&str, Vec<f64>)]) -> Result<Dataset, Box<dyn Error>> {
        let mut columns = Vec::new();
        for (place, name) in self.names.iter().enumerate() {
            let column = match given.iter().find(|(known, _)| known == name) {
                Some((_, values)) => Column::Numbers(values.clone()),
                None => Column::Texts(self.rows.iter().map(|row| row[place].clone()).collect()),
            };
            columns.push((name.clone(), column));
        }
        Ok(Dataset::from_columns(columns)?)
    }

    pub fn dataset(&self) -> Result<Dataset, Box<dyn Error>> {
        self.dataset_with(&[])
    }
}
