//! Stores the facts about an interpreter in the cache, and checks that they are still valid.

use std::io::Write as _;
use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::cache::{Store, hex};
use crate::interpreter::Interpreter;
use crate::sys::env::Env;
use crate::sys::fs::Identity;

/// Variables that can change the facts about an interpreter.
const VARIABLES: [&str; 10] = [
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
    "PYTHONUTF8",
    "PYTHONHOME",
    "PYTHONEXECUTABLE",
    "__PYVENV_LAUNCHER__",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
];

/// Incremented when the facts change, so that stored facts of another format are not used.
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Facts {
    format: u32,
    witnesses: Vec<(String, Option<Identity>)>,
    interpreter: Interpreter,
}

impl Store {
    /// The stored facts about `executable`, if nothing that they depend on has changed.
    pub(crate) fn facts(&self, executable: &Path, environment: &Env) -> Option<Interpreter> {
        let path = self.trusted(&facts_name(executable, environment))?;
        let facts: Facts = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        if facts.format != FORMAT {
            return None;
        }
        let unchanged = |(path, identity): &(String, Option<Identity>)| {
            Identity::of(Path::new(path)) == *identity
        };
        facts
            .witnesses
            .iter()
            .all(unchanged)
            .then_some(facts.interpreter)
    }

    /// Stores the facts about `executable`.
    pub(crate) fn keep_facts(
        &self,
        executable: &Path,
        environment: &Env,
        interpreter: &Interpreter,
    ) {
        // The path may be a symlink, whose target may change.
        let witnesses = interpreter.witnesses.iter().map(String::as_str);
        let name = executable.to_str();
        let name = name.filter(|name| !witnesses.clone().any(|witness| witness == *name));
        let witnesses = name
            .into_iter()
            .chain(witnesses)
            .map(|path| (path.to_owned(), Identity::of(Path::new(path))))
            .collect();
        let facts = Facts {
            format: FORMAT,
            witnesses,
            interpreter: interpreter.clone(),
        };
        let Ok(json) = serde_json::to_vec(&facts) else {
            return;
        };
        self.publish(&facts_name(executable, environment), |file| {
            file.write_all(&json)
        });
    }

    /// Whether the facts about a Python are in the cache.
    pub(crate) fn remembers(&self, interpreter: &Interpreter, environment: &Env) -> bool {
        let executable = Path::new(&interpreter.executable);
        self.facts(executable, environment).is_some()
    }
}

fn facts_name(executable: &Path, environment: &Env) -> String {
    let mut hasher = Sha256::new();
    hasher.update(env!("CARGO_PKG_VERSION"));
    hasher.update(executable.as_os_str().as_encoded_bytes());
    for name in VARIABLES {
        hasher.update(b"\0");
        hasher.update(
            environment
                .var(name)
                .map(std::ffi::OsStr::as_encoded_bytes)
                .unwrap_or_default(),
        );
    }
    format!("facts-{}.json", hex(&hasher.finalize()[..16]))
}
