//! The key of an image in the cache.

use std::path::Path;
use std::time::UNIX_EPOCH;

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::cache::hex;
use crate::image::format;
use crate::installed::bytecode::settings::Bytecode;
use crate::installed::scripts::template::Names;
use crate::pip::Seed;
use crate::pip::wheel::install::Production;
use crate::sys::fs::Identity;

impl Seed<'_> {
    /// Everything that the contents of an image depend on: the identity of the wheels, and the compiler settings.
    pub(crate) fn key(&self) -> String {
        let interpreter = self.interpreter;
        let mut hasher = Sha256::new();
        let mut add = |part: &str| {
            hasher.update(part);
            hasher.update(b"\0");
        };
        add(env!("CARGO_PKG_VERSION"));
        add(&format::FORMAT.to_string());
        add(&format!("{:?}", self.seeder));
        add(&interpreter.implementation);
        add(&interpreter.version_string());
        add(interpreter.cache_tag.as_deref().unwrap_or_default());
        add(&interpreter.magic);
        add(&interpreter.scheme.purelib);
        add(&format!("{:?}", self.production()));
        for wheel in interpreter.wheels.iter().flatten() {
            add(&wheel.path);
            add(&format!("{:?}", stamp(Path::new(&wheel.path))));
        }
        let sources: Vec<&str> = match &interpreter.wheels {
            Some(_) => Vec::new(),
            None => interpreter.witnesses.iter().map(String::as_str).collect(),
        };
        let other_wheels = if interpreter.wheels.is_none() {
            self.other_wheels.folders(interpreter)
        } else {
            Vec::new()
        };
        let other_wheels = other_wheels.iter().filter_map(|folder| folder.to_str());
        for source in sources.into_iter().chain(other_wheels) {
            add(source);
            add(&format!("{:?}", Identity::of(Path::new(source))));
        }
        hex(&hasher.finalize()[..16])
    }

    /// The settings of ensurepip and the compiler, from the variables of this process.
    pub(crate) fn production(&self) -> Production {
        let variable = |name: &str| {
            let value = self.environment.var(name)?;
            Some(value.to_string_lossy().into_owned())
        };
        Production {
            // The image does not contain the first line, so this path need not exist.
            executable: "/python".into(),
            names: Names::from_options(variable("ENSUREPIP_OPTIONS").as_deref()),
            bytecode: self
                .compile
                .then(|| Bytecode::for_environment(self.interpreter, variable)),
        }
    }
}

/// What a wheel has in common with its copy in another container or on another machine: its name contains the version,
/// and archives store times in seconds.
fn stamp(wheel: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(wheel).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), modified.as_secs()))
}
