//! One process at a time for one place: a lock of the operating system on a hidden file beside
//! the fit folder.
//!
//! The lock goes with the process that holds it, however that ends, so none is ever left that
//! somebody would have to remove. The file may be left; without the lock it means nothing. Who
//! holds the lock knows that nobody else writes to the place, and so clears away what a process
//! that was killed left of its writing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{OutputError, beside};

/// The right to write to a place, as long as it lives.
#[derive(Debug)]
pub struct PlaceLock {
    path: PathBuf,
    /// Holds the lock until it is closed.
    _file: File,
    /// Folders that had to be made for the file.
    made: Vec<PathBuf>,
    /// Why there is no lock, where the file system has none.
    unavailable: Option<io::Error>,
}

impl PlaceLock {
    /// Takes the lock of `folder`, which need not exist.
    ///
    /// # Errors
    /// When another process has it, or the file that is locked cannot be made.
    pub fn take(folder: &Path) -> Result<PlaceLock, OutputError> {
        let fault = |fault| OutputError::Io(folder.to_path_buf(), fault);
        let path = path_of(folder);
        let made = make_folders(&path).map_err(fault)?;
        loop {
            let mut file = open(&path, true).map_err(fault)?;
            let unavailable = match file.try_lock() {
                Ok(()) => None,
                Err(TryLockError::WouldBlock) => {
                    return Err(OutputError::InUse(folder.to_path_buf(), holder(&mut file)));
                }
                Err(TryLockError::Error(fault)) => Some(fault),
            };
            // Who held it before may have removed the file since it was opened here.
            if unavailable.is_none() && !is_at(&file, &path) {
                continue;
            }
            // That the number of the process cannot be written makes the lock no weaker.
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            if unavailable.is_none() {
                clear_away(folder).map_err(fault)?;
            }
            return Ok(PlaceLock { path, _file: file, made, unavailable });
        }
    }

    /// Whether a process holds the lock of `folder` now.
    pub fn is_held(folder: &Path) -> bool {
        let file = open(&path_of(folder), false);
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Why nothing is locked, where the file system has no locks: then the user has to see to it
    /// that there is one process at a time.
    pub fn unavailable(&self) -> Option<&io::Error> {
        self.unavailable.as_ref()
    }

    /// The file that is locked.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PlaceLock {
    fn drop(&mut self) {
        // What cannot be removed does no harm, nor does what is in use.
        let _ = fs::remove_file(&self.path);
        self.made.iter().rev().for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

/// `.NAME.lock`, beside the folder.
fn path_of(folder: &Path) -> PathBuf {
    beside(folder, "lock")
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(create).truncate(false).open(path)
}

/// Makes the folders above `path` that are not there, and tells which, outermost first.
fn make_folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let missing = path.ancestors().skip(1).take_while(is_missing);
    let mut made: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
    made.reverse();
    path.parent().filter(|_| !made.is_empty()).map_or(Ok(()), fs::create_dir_all)?;
    Ok(made)
}

/// The process that has the lock, where the file tells.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.parse().ok()
}

/// Whether `path` still names this file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    match (file.metadata(), path.metadata()) {
        (Ok(file), Ok(path)) => identity(file) == identity(path),
        _ => false,
    }
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Removes folders that were not finished, and brings an old fit back that was to be replaced by
/// one that never came to its place.
fn clear_away(folder: &Path) -> io::Result<()> {
    for old in left(folder, "old")? {
        match folder.symlink_metadata() {
            Ok(_) => fs::remove_dir_all(old)?,
            Err(_) => fs::rename(old, folder)?,
        }
    }
    left(folder, "unfinished")?.iter().try_for_each(fs::remove_dir_all)
}

/// Folders that processes left while they wrote: `.NAME.WHAT-PROCESS`.
fn left(folder: &Path, what: &str) -> io::Result<Vec<PathBuf>> {
    let pattern = beside(folder, what);
    let (Some(parent), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Ok(vec![]);
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let prefix = format!("{}-", name.to_string_lossy());
    let mut found = vec![];
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(&prefix));
        if process.is_some_and(|process| process.parse::<u32>().is_ok()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder_of(error: OutputError) -> Option<u32> {
        match error {
            OutputError::InUse(_, process) => process,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_place_has_one_lock() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("not/there/yet.fit");
        let lock = PlaceLock::take(&folder).unwrap();
        assert!(lock.unavailable().is_none());
        assert!(PlaceLock::is_held(&folder));
        let refused = PlaceLock::take(&folder).unwrap_err();
        assert!(refused.to_string().contains("is in use"), "{refused}");
        assert_eq!(holder_of(refused), Some(std::process::id()));
        drop(PlaceLock::take(&above.path().join("not/there/other.fit")).unwrap());
        drop(lock);
        assert!(!PlaceLock::is_held(&folder));
        assert_eq!(fs::read_dir(above.path()).unwrap().count(), 0, "nothing is left");
        drop(PlaceLock::take(&folder).unwrap());
    }

    #[test]
    fn a_file_without_a_lock_means_nothing() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a.fit");
        fs::write(above.path().join(".a.fit.lock"), "1").unwrap();
        assert!(!PlaceLock::is_held(&folder));
        let _lock = PlaceLock::take(&folder).unwrap();
        assert_eq!(holder_of(PlaceLock::take(&folder).unwrap_err()), Some(std::process::id()));
    }

    #[test]
    fn what_was_killed_leaves_nothing_and_takes_nothing() {
        let above = tempfile::tempdir().unwrap();
        let at = |name: &str| above.path().join(name);
        for name in [".a.fit.unfinished-7", ".a.fit.old-8", ".a.fit.unfinished-x", ".b.fit.old-8"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("fit.json"), name).unwrap();
        }
        drop(PlaceLock::take(&at("a.fit")).unwrap());
        assert!(!at(".a.fit.unfinished-7").exists());
        let back = fs::read_to_string(at("a.fit/fit.json")).unwrap();
        assert_eq!(back, ".a.fit.old-8", "what was to be replaced is back");
        assert!(at(".a.fit.unfinished-x").exists() && at(".b.fit.old-8").exists(), "not ours");
        // Once the new one is in its place the old one is not wanted.
        fs::create_dir(at(".a.fit.old-9")).unwrap();
        drop(PlaceLock::take(&at("a.fit")).unwrap());
        assert!(!at(".a.fit.old-9").exists());
    }
}
