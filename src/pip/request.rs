//! The key of a request: a hash of everything that decides what pip would install, so that a run that has nothing to install is
//! known without starting pip.
//!
//! Whatever is not understood has no key: then pip runs.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::cache::hex;
use crate::interpreter::Interpreter;
use crate::options::Options;
use crate::pip::requirements::is_standard_input;
use crate::sys::env::Env;
use crate::venv::context::Context;

/// Settings of pip that change nothing of what is installed.
const HARMLESS: [&str; 20] = [
    "cache-dir",
    "cert",
    "client-cert",
    "debug",
    "default-timeout",
    "disable-pip-version-check",
    "exists-action",
    "keyring-provider",
    "log",
    "no-cache-dir",
    "no-color",
    "no-input",
    "no-python-version-warning",
    "progress-bar",
    "proxy",
    "quiet",
    "resume-retries",
    "retries",
    "timeout",
    "verbose",
];
/// Settings that name more to install, or that have pip install what is there already.
const WITHOUT_KEY: [&str; 9] = [
    "build-constraint",
    "constraint",
    "editable",
    "force-reinstall",
    "group",
    "ignore-installed",
    "requirement",
    "requirements-from-script",
    "upgrade",
];
/// Options on a line of their own in a requirements file that need no more than their text.
const LINE_OPTIONS: [&str; 13] = [
    "--extra-index-url",
    "--find-links",
    "--index-url",
    "--no-binary",
    "--no-index",
    "--only-binary",
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--trusted-host",
    "--use-feature",
    "-f",
    "-i",
];
/// The endings of the metadata of an installed project, and of the files that add to `sys.path`.
const METADATA: [&str; 4] = [".dist-info", ".egg-info", ".egg-link", ".pth"];

/// The key of what was asked for; without the version of the pip that is to install it, which the state says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// Reads every file that the request names.
    ///
    /// # Errors
    ///
    /// Why there is no key.
    pub(crate) fn of(
        options: &Options,
        interpreter: &Interpreter,
        context: &Context,
        environment: &Env,
    ) -> Result<Self, String> {
        if interpreter.scheme.purelib != interpreter.scheme.platlib {
            return Err("this Python has two directories for packages".into());
        }
        if options.upgrade_deps {
            return Err("--upgrade-deps asks the index".into());
        }
        if options.system_site_packages {
            return Err("the system's packages may change".into());
        }
        if !options.editables.is_empty() || !options.groups.is_empty() {
            return Err("--editable and --group read projects".into());
        }
        let mut inputs = Inputs::default();
        inputs.add("rvenv", env!("CARGO_PKG_VERSION").as_bytes());
        inputs.add("python", &facts(interpreter)?);
        inputs.add("name", context.env_exe.as_bytes());
        let cwd = environment.cwd.as_deref().unwrap_or(Path::new(""));
        for file in options.requirements.iter().chain(&options.constraints) {
            inputs.file(file, cwd)?;
        }
        for package in &options.packages {
            requirement(package)?;
            inputs.add("with", package.as_bytes());
        }
        for arg in &options.pip_args {
            let arg = arg.to_str().ok_or("an option is not UTF-8")?;
            let name = arg.split('=').next().unwrap_or(arg);
            if !LINE_OPTIONS.contains(&name) && name != "--uploaded-prior-to" {
                return Err(format!("{name} may change what is installed"));
            }
            inputs.add("arg", without_credentials(arg).as_bytes());
        }
        inputs.add("compile", &[u8::from(options.compile)]);
        let epoch = environment.var("SOURCE_DATE_EPOCH").unwrap_or_default();
        inputs.add("epoch", epoch.as_encoded_bytes());
        inputs.variables(environment)?;
        inputs.configuration(context, environment)?;
        Ok(Self(hex(&inputs.hasher.finalize())))
    }

    /// The value of `rvenv-request` for an environment whose packages are in `site_packages`.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(crate) fn with_state(&self, site_packages: &Path) -> Result<String, String> {
        Ok(format!("{} {}", self.0, state(site_packages)?))
    }
}

/// What tells this Python, and the system that it runs on, from another one.
fn facts(interpreter: &Interpreter) -> Result<Vec<u8>, String> {
    // PEP 508: `platform_release` and `platform_version`.
    let mut facts = String::new();
    for name in ["ostype", "osrelease", "version"] {
        let path = Path::new("/proc/sys/kernel").join(name);
        facts += &fs::read_to_string(path).map_err(|error| error.to_string())?;
    }
    let python = format!(
        "{}\0{}\0{}\0{}\0{:?}\0{:?}\0{}\0{}\0{}\0{}",
        interpreter.implementation,
        interpreter.version_string(),
        interpreter.prerelease,
        interpreter.real_executable,
        interpreter.multiarch,
        interpreter.cache_tag,
        interpreter.magic,
        interpreter.free_threaded,
        interpreter.debug,
        interpreter.is_64bit,
    );
    facts += &python;
    Ok(facts.into_bytes())
}

#[derive(Default)]
struct Inputs {
    hasher: Sha256,
    seen: BTreeSet<PathBuf>,
}

impl Inputs {
    fn add(&mut self, name: &str, value: &[u8]) {
        self.hasher.update(name.as_bytes());
        self.hasher.update((value.len() as u64).to_le_bytes());
        self.hasher.update(value);
    }

    /// A requirements or constraints file and those that it names.
    fn file(&mut self, name: &OsStr, folder: &Path) -> Result<(), String> {
        let text = name.to_str().ok_or("a file's name is not UTF-8")?;
        if text == "-" || text.contains("://") || text.starts_with("file:") {
            return Err(format!("{text} is no file"));
        }
        let path = folder.join(text);
        if is_standard_input(&path) || !fs::metadata(&path).is_ok_and(|metadata| metadata.is_file())
        {
            return Err(format!("{text} is no regular file"));
        }
        if !self.seen.insert(path.clone()) {
            return Ok(());
        }
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        self.add("file", without_credentials(&text).as_bytes());
        let parent = path.parent().unwrap_or(folder);
        for line in lines(&text) {
            match understood(&line).map_err(|reason| format!("{}: {reason}", path.display()))? {
                Line::File(file) => self.file(OsStr::new(file), parent)?,
                Line::Text => {}
            }
        }
        Ok(())
    }

    fn variables(&mut self, environment: &Env) -> Result<(), String> {
        for (name, value) in environment.starting_with("PIP_") {
            let shown = name.to_str().ok_or("a variable's name is not UTF-8")?;
            let key = shown[4..].to_ascii_lowercase().replace('_', "-");
            if value.is_empty() || HARMLESS.contains(&&*key) {
                continue;
            }
            if WITHOUT_KEY.contains(&&*key) {
                return Err(format!("{shown} is set"));
            }
            let value = value.to_str().ok_or("a variable is not UTF-8")?;
            self.add(&key, without_credentials(value).as_bytes());
        }
        Ok(())
    }

    /// Every configuration file that pip may read, as a whole.
    fn configuration(&mut self, context: &Context, environment: &Env) -> Result<(), String> {
        let home = environment.home().unwrap_or_default();
        let folder = |name: &str| environment.var(name).map(PathBuf::from);
        let shared = environment.var("XDG_CONFIG_DIRS").map(OsString::from);
        let shared = shared.unwrap_or_else(|| "/etc/xdg".into());
        let mut files = vec![PathBuf::from("/etc/pip.conf"), home.join(".pip/pip.conf")];
        files.extend(std::env::split_paths(&shared).map(|folder| folder.join("pip/pip.conf")));
        let user = folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        files.push(user.join("pip/pip.conf"));
        files.push(Path::new(&context.env_dir).join("pip.conf"));
        files.extend(folder("PIP_CONFIG_FILE").filter(|file| file != Path::new("/dev/null")));
        for file in files {
            let text = match fs::read_to_string(&file) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.to_string()),
            };
            let settings = text.to_ascii_lowercase().replace('_', "-");
            if let Some(key) = WITHOUT_KEY.iter().find(|key| settings.contains(*key)) {
                return Err(format!("{} has {key}", file.display()));
            }
            self.add("configuration", without_credentials(&text).as_bytes());
        }
        Ok(())
    }
}

/// The lines as pip joins them, without comments.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#');
        if !is_comment && let Some(begin) = line.strip_suffix('\\') {
            joined += begin;
            continue;
        }
        joined += line;
        lines.push(std::mem::take(&mut joined));
    }
    lines.push(joined);
    let without_comment = |line: String| match line.find(" #").or_else(|| line.find("\t#")) {
        Some(at) => line[..at].trim().to_owned(),
        None => line.trim().to_owned(),
    };
    let lines = lines.into_iter().map(without_comment);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Line<'a> {
    /// Another file.
    File(&'a str),
    /// What needs no more than its own text.
    Text,
}

fn understood(line: &str) -> Result<Line<'_>, String> {
    if line.contains("${") {
        return Err("a variable is used".into());
    }
    if !line.starts_with('-') {
        return requirement(line).map(|()| Line::Text);
    }
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let (option, rest) = line.split_at(end);
    let value = rest.trim_start_matches([' ', '\t', '=']);
    if ["-r", "-c", "--requirement", "--constraint"].contains(&option) {
        return if value.is_empty() || value.contains(['"', '\'', ' ']) {
            Err(format!("{line:?} is not understood"))
        } else {
            Ok(Line::File(value))
        };
    }
    if LINE_OPTIONS.contains(&option) && !value.contains(" -") {
        return Ok(Line::Text);
    }
    Err(format!("{line:?} is not understood"))
}

/// A project by its name, not by a place.
fn requirement(line: &str) -> Result<(), String> {
    let starts = line.starts_with(|first: char| first.is_ascii_alphanumeric());
    // A `/`, an `@` or the name of an archive makes a place of it; hashes and markers come behind.
    let front = line.split([';', ' ']).next().unwrap_or(line);
    let is_place = front.contains(['/', '\\', '@', ':'])
        || line
            .split(';')
            .next()
            .is_some_and(|front| front.contains('@'))
        || [".whl", ".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz"]
            .iter()
            .any(|ending| front.to_ascii_lowercase().ends_with(ending));
    if !starts || is_place {
        return Err(format!("{front:?} is not installed by name"));
    }
    Ok(())
}

/// A text without what stands before an `@` in its addresses.
fn without_credentials(text: &str) -> String {
    let mut parts = text.split("://");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|end: char| end.is_whitespace() || "/?#".contains(end));
        let host = part[..end.unwrap_or(part.len())].rfind('@');
        result += "://";
        result += &part[host.map_or(0, |at| at + 1)..];
    }
    result
}

/// A hash of what says which packages are installed.
fn state(site_packages: &Path) -> Result<String, String> {
    let entries = fs::read_dir(site_packages).map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        let bytes = name.as_encoded_bytes();
        if METADATA
            .iter()
            .any(|ending| bytes.ends_with(ending.as_bytes()))
        {
            names.push(name);
        }
    }
    names.sort();
    let mut hasher = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for name in names {
        add(name.as_encoded_bytes());
        let path = site_packages.join(&name);
        if path.join("direct_url.json").exists() {
            return Err(format!("{} was installed from a place", name.display()));
        }
        let said = if name.as_encoded_bytes().ends_with(b".dist-info") {
            path.join("RECORD")
        } else if path.is_file() {
            path
        } else {
            continue;
        };
        add(&fs::read(said).map_err(|error| error.to_string())?);
    }
    Ok(hex(&hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_lose_their_comments() {
        let text = "# all\none==1 \\\n  --hash=sha256:0\n\n  two # why\n-r more.txt\n";
        let expected = ["one==1   --hash=sha256:0", "two", "-r more.txt"];
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn what_is_not_installed_by_name_has_no_key() {
        for line in [
            "one",
            "one==1 --hash=sha256:0",
            "one[a,b]>=1,<2; python_version < '3.9'",
            "--no-index",
            "-f ../wheels",
            "--index-url=https://a/simple",
        ] {
            assert_eq!(understood(line), Ok(Line::Text), "{line}");
        }
        assert_eq!(understood("-r a/b.txt"), Ok(Line::File("a/b.txt")));
        assert_eq!(understood("--constraint=c.txt"), Ok(Line::File("c.txt")));
        for line in [
            "-e .",
            "--editable=x",
            "./one",
            "one-1.0-py3-none-any.whl",
            "one @ https://a/one.whl",
            "git+https://a/b",
            "https://a/b.zip",
            "one==${VERSION}",
            "--config-settings a=b",
            "-r 'a b.txt'",
            "\u{feff}one",
        ] {
            assert!(understood(line).is_err(), "{line}");
        }
    }

    #[test]
    fn addresses_lose_their_credentials() {
        for (text, expected) in [
            ("-i https://me:secret@a/simple x", "-i https://a/simple x"),
            ("https://a/b@c", "https://a/b@c"),
            ("a@b", "a@b"),
            ("https://u@a\nhttp://v:w@b/", "https://a\nhttp://b/"),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }
}
