use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};

/// Returns every Rust file under a folder, in the order of their names.
pub(crate) fn rust_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Failure::during(folder.display()))? {
        let path = entry.map_err(Failure::during(folder.display()))?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
