//! Parquet files: they bind to what the same rows in CSV bind to, and whatever is wrong with one is
//! said.
#![cfg(feature = "parquet")]

#[path = "parquet_files/harm.rs"]
mod harm;
#[expect(dead_code, reason = "other tests use the rest")]
mod program;
#[path = "parquet_files/refusals.rs"]
mod refusals;
#[path = "parquet_files/runs.rs"]
mod runs;
#[path = "parquet_files/same.rs"]
mod same;
#[path = "parquet_files/write.rs"]
mod write;
