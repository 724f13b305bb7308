//! The key of a request: a hash of everything that determines what pip would install. If it has not changed, pip need
//! not be started.
//!
//! If anything is not understood there is no key, and pip is run.

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
use crate::sys::system;
use crate::venv::context::Context;

/// pip settings that do not change what is installed.
const HARMLESS: [&str; 20] = [
    "cert",
    "client-cert",
    "debug",
    "default-timeout",
    "disable-pip-version-check",
    "exists-action",
    "keyring-provider",
    "log",
    "no-color",
    "no-input",
    "no-python-version-warning",
    "progress-bar",
    "proxy",
    "quiet",
    "resume-retries",
    "retries",
    "root-user-action",
    "timeout",
    "verbose",
    "cache-dir",
];
/// As these, but nothing is kept for other environments either.
const NO_CACHE: &str = "no-cache-dir";
/// Settings that name more to install in a way that is not read, that have pip install what is there already, or that take
/// its report away.
const WITHOUT_KEY: [&str; 7] = [
    "editable",
    "force-reinstall",
    "group",
    "ignore-installed",
    "report",
    "requirements-from-script",
    "upgrade",
];
/// Settings that say where packages come from. With hashes they decide nothing.
const INDEXES: [&str; 7] = [
    "extra-index-url",
    "f",
    "find-links",
    "i",
    "index-url",
    "no-index",
    "trusted-host",
];
/// Options in a requirements file that are completely described by their text.
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
/// The suffixes of the metadata of an installed project, and of files that extend `sys.path`.
const METADATA: [&str; 4] = [".dist-info", ".egg-info", ".egg-link", ".pth"];

/// The key of a request. The version of the environment's pip is not included, since it is part of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    exact: String,
    pinned: Result<String, String>,
    /// Whether the user lets pip use its cache.
    uses_cache: bool,
}

impl Key {
    /// Reads every file that the request names. `is_merge` tells whether pip will find what is in the environment now.
    ///
    /// # Errors
    ///
    /// Why there is no key.
    pub(crate) fn of(
        options: &Options,
        interpreter: &Interpreter,
        context: &Context,
        environment: &Env,
        is_merge: bool,
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
        if !options.editables.is_empty() {
            return Err("--editable reads a project".into());
        }
        let cwd = environment.cwd.as_deref().unwrap_or(Path::new(""));
        let mut inputs = Inputs::new(environment);
        inputs.add("rvenv", env!("CARGO_PKG_VERSION").as_bytes());
        inputs.add("python", facts(interpreter)?.as_bytes());
        let (_, name) = context.env_exe.rsplit_once('/').unwrap_or_default();
        inputs.add("name", name.as_bytes());
        for file in &options.requirements {
            inputs.file(file, cwd, Role::Requirements)?;
        }
        for file in &options.constraints {
            inputs.file(file, cwd, Role::Constraints)?;
        }
        for group in &options.groups {
            inputs.group(group, cwd)?;
        }
        for package in &options.packages {
            requirement(package)?;
            inputs.requirement(package);
            inputs.add("with", package.as_bytes());
        }
        for arg in &options.pip_args {
            let arg = arg.to_str().ok_or("an option is not UTF-8")?;
            let name = arg.split('=').next().unwrap_or(arg);
            if !LINE_OPTIONS.contains(&name) && name != "--uploaded-prior-to" {
                return Err(format!("{name} may change what is installed"));
            }
            inputs.setting(name.trim_start_matches('-'), arg, cwd);
        }
        let said = (
            options.compile,
            options.with_setuptools,
            context.relocatable,
            options.seeder,
        );
        inputs.add("options", format!("{said:?}").as_bytes());
        let epoch = environment.var("SOURCE_DATE_EPOCH").unwrap_or_default();
        inputs.add("epoch", epoch.as_encoded_bytes());
        inputs.variables(cwd)?;
        inputs.configuration(context, cwd, is_merge)?;
        let exact = hex(&inputs.exact.finalize());
        let pinned = match inputs.unpinned {
            Some(reason) => Err(reason),
            None => Ok(hex(&inputs.pinned.finalize())),
        };
        Ok(Self {
            exact,
            pinned,
            uses_cache: inputs.uses_cache,
        })
    }

    /// The key of a request whose result is the same everywhere: every requirement is pinned and has a hash. It says nothing
    /// of where packages come from.
    ///
    /// # Errors
    ///
    /// Why this is no such request.
    pub(crate) fn pinned(&self) -> Result<&str, &str> {
        self.pinned.as_deref().map_err(String::as_str)
    }

    /// The key of the request as a whole.
    pub(crate) fn exact(&self) -> &str {
        &self.exact
    }

    /// Whether pip's own cache is in use.
    pub(crate) fn uses_cache(&self) -> bool {
        self.uses_cache
    }

    /// The value of `rvenv-request` for an environment with packages in `site_packages`.
    ///
    /// # Errors
    ///
    /// Why there is no key.
    pub(crate) fn with_state(&self, site_packages: &Path) -> Result<String, String> {
        Ok(format!("{} {}", self.exact, state(site_packages)?))
    }
}

/// What identifies this Python and the operating system.
fn facts(interpreter: &Interpreter) -> Result<String, String> {
    let markers = &interpreter.markers;
    let libc = markers.libc.as_deref();
    let libc = libc.ok_or("nobody knows which libc this Python has")?;
    let system = system::names().ok_or("this system has no release")?;
    let scheme = &interpreter.scheme;
    let facts = [
        &interpreter.implementation,
        &interpreter.version_info(),
        &interpreter.magic,
        interpreter.cache_tag.as_deref().unwrap_or_default(),
        markers.soabi.as_deref().unwrap_or_default(),
        interpreter.multiarch.as_deref().unwrap_or_default(),
        &markers.platform,
        libc,
        &markers.implementation_version,
        &markers.python_full_version,
        &markers.os_name,
        &markers.sys_platform,
        &scheme.purelib,
        &scheme.include,
    ];
    let kind = (
        interpreter.free_threaded,
        interpreter.debug,
        interpreter.is_64bit,
        interpreter.utf8_file_system,
    );
    Ok(format!("{facts:?} {kind:?} {system:?}"))
}

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Requirements,
    Constraints,
    BuildConstraints,
}

struct Inputs<'a> {
    environment: &'a Env,
    exact: Sha256,
    /// Without what decides nothing where everything has a hash.
    pinned: Sha256,
    /// Why not everything has one.
    unpinned: Option<String>,
    uses_cache: bool,
    seen: BTreeSet<(PathBuf, bool)>,
}

impl<'a> Inputs<'a> {
    fn new(environment: &'a Env) -> Self {
        Self {
            environment,
            exact: Sha256::new(),
            pinned: Sha256::new(),
            unpinned: None,
            uses_cache: true,
            seen: BTreeSet::new(),
        }
    }

    fn add(&mut self, name: &str, value: &[u8]) {
        add(&mut self.exact, name, value);
        add(&mut self.pinned, name, value);
    }

    /// A setting under its long name, as it was given in `folder`.
    fn setting(&mut self, name: &str, text: &str, folder: &Path) {
        let text = without_credentials(text);
        if !INDEXES.contains(&name) {
            return self.add(name, text.as_bytes());
        }
        add(&mut self.exact, name, text.as_bytes());
        let places = text.split(['=', ' ', '\t']).skip(1);
        if places
            .clone()
            .any(|it| !it.contains("://") && !it.starts_with('/'))
        {
            let folder = folder.as_os_str().as_encoded_bytes();
            add(&mut self.exact, "folder", folder);
        }
    }

    /// Looks whether a requirement has a version and a hash.
    fn requirement(&mut self, text: &str) {
        let front = text.split([';', ' ']).next().unwrap_or(text);
        let version = text.split_once("==").map(|(_, version)| version);
        let version = version.map(|version| version.split([';', ' ', ',']).next());
        let is_exact = version
            .flatten()
            .is_some_and(|version| !version.is_empty() && !version.contains(['*', '=']));
        let has_hash = ["--hash=sha256:", "--hash=sha384:", "--hash=sha512:"]
            .iter()
            .any(|option| text.contains(option));
        if !(is_exact && has_hash) {
            let reason = || format!("{front} has no version and hash");
            self.unpinned.get_or_insert_with(reason);
        }
    }

    /// Adds a requirements or constraints file and the files that it includes.
    fn file(&mut self, name: &OsStr, folder: &Path, role: Role) -> Result<(), String> {
        let text = name.to_str().ok_or("a file's name is not UTF-8")?;
        if text == "-" || text.contains("://") || text.starts_with("file:") {
            return Err(format!("{text} is not a file"));
        }
        let path = folder.join(text);
        if is_standard_input(&path) || !fs::metadata(&path).is_ok_and(|metadata| metadata.is_file())
        {
            return Err(format!("{text} is no regular file"));
        }
        if !self.seen.insert((path.clone(), role == Role::Requirements)) {
            return Ok(());
        }
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        self.add("file", format!("{role:?}").as_bytes());
        add(
            &mut self.exact,
            "text",
            without_credentials(&text).as_bytes(),
        );
        let parent = path.parent().unwrap_or(folder);
        for line in lines(&text) {
            let line = self.expanded(&line);
            match understood(&line).map_err(|reason| format!("{}: {reason}", path.display()))? {
                Line::Requirements(file) => self.file(OsStr::new(file), parent, role)?,
                Line::Constraints(file) => {
                    self.file(OsStr::new(file), parent, Role::Constraints)?;
                }
                Line::Option(name) => self.setting(name, &line, parent),
                Line::Requirement => {
                    if role == Role::Requirements {
                        self.requirement(&line);
                    }
                    self.add("line", line.as_bytes());
                }
            }
        }
        self.add("end", b"");
        Ok(())
    }

    /// The dependency group `[PATH:]NAME`: everything that the file says, as groups include each other.
    fn group(&mut self, group: &OsStr, folder: &Path) -> Result<(), String> {
        let text = group.to_str().ok_or("the name of a group is not UTF-8")?;
        let (path, name) = text.rsplit_once(':').unwrap_or(("pyproject.toml", text));
        let project = fs::read(folder.join(path)).map_err(|error| error.to_string())?;
        let reason = || "a dependency group has no hashes".into();
        self.unpinned.get_or_insert_with(reason);
        self.add("group", name.as_bytes());
        self.add("project", &project);
        Ok(())
    }

    /// With the values of variables, as pip puts them in.
    fn expanded(&self, line: &str) -> String {
        let mut result = String::new();
        let mut rest = line;
        while let Some(at) = rest.find("${") {
            let name = rest[at + 2..].split('}').next().unwrap_or_default();
            let is_name =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            let end = at + 2 + name.len();
            let value = (!name.is_empty() && name.bytes().all(is_name) && end < rest.len())
                .then(|| self.environment.var(name)?.to_str())
                .flatten();
            result += &rest[..at];
            if let Some(value) = value {
                result += value;
                rest = &rest[end + 1..];
            } else {
                result += "${";
                rest = &rest[at + 2..];
            }
        }
        result + rest
    }

    fn variables(&mut self, folder: &Path) -> Result<(), String> {
        for (name, value) in self.environment.starting_with("PIP_") {
            let shown = name.to_str().ok_or("a variable's name is not UTF-8")?;
            let value = value.to_str().ok_or("a variable is not UTF-8")?;
            self.pips_setting(&shown[4..], value, folder)
                .map_err(|reason| format!("{shown} {reason}"))?;
        }
        Ok(())
    }

    /// A variable, or a key of a configuration file.
    fn pips_setting(&mut self, key: &str, value: &str, folder: &Path) -> Result<(), String> {
        let key = key.to_ascii_lowercase().replace('_', "-");
        let key = key.trim_start_matches('-');
        if value.is_empty() || HARMLESS.contains(&key) {
            return Ok(());
        }
        if WITHOUT_KEY.contains(&key) {
            return Err("is set".into());
        }
        let role = match key {
            NO_CACHE => {
                self.uses_cache = false;
                return Ok(());
            }
            "requirement" => Role::Requirements,
            "constraint" => Role::Constraints,
            "build-constraint" => Role::BuildConstraints,
            _ => {
                self.setting(key, &format!("{key}={value}"), folder);
                return Ok(());
            }
        };
        let mut files = value.split_whitespace();
        files.try_for_each(|file| self.file(OsStr::new(file), folder, role))
    }

    /// Every configuration file that pip may read.
    fn configuration(
        &mut self,
        context: &Context,
        cwd: &Path,
        is_merge: bool,
    ) -> Result<(), String> {
        let environment = self.environment;
        let home = environment.home().unwrap_or_default();
        let folder = |name: &str| environment.var(name).map(PathBuf::from);
        let shared = environment.var("XDG_CONFIG_DIRS").map(OsString::from);
        let shared = shared.unwrap_or_else(|| "/etc/xdg".into());
        let mut files = vec![PathBuf::from("/etc/pip.conf"), home.join(".pip/pip.conf")];
        files.extend(std::env::split_paths(&shared).map(|folder| folder.join("pip/pip.conf")));
        let user = folder("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        files.push(user.join("pip/pip.conf"));
        if cfg!(target_os = "macos") {
            let support = "Library/Application Support/pip/pip.conf";
            files.extend([Path::new("/").join(support), home.join(support)]);
        }
        if is_merge {
            files.push(Path::new(&context.env_dir).join("pip.conf"));
        }
        files.extend(folder("PIP_CONFIG_FILE").filter(|file| file != Path::new("/dev/null")));
        for file in files {
            let text = match fs::read_to_string(&file) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.to_string()),
            };
            self.add("configuration", b"");
            for (section, key, value) in settings(&text) {
                // What is under another command's name is pip's own business.
                self.add("section", section.as_bytes());
                self.pips_setting(&key, &value, cwd)
                    .map_err(|reason| format!("{key} {reason} in {}", file.display()))?;
            }
        }
        Ok(())
    }
}

fn add(hasher: &mut Sha256, name: &str, value: &[u8]) {
    hasher.update(name.as_bytes());
    hasher.update((value.len() as u64).to_le_bytes());
    hasher.update(value);
}

/// The settings of a configuration file, as `configparser` reads them.
fn settings(text: &str) -> Vec<(String, String, String)> {
    let mut settings: Vec<(String, String, String)> = Vec::new();
    let mut section = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let starts = line.trim_start();
        if starts.is_empty() || starts.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, _, value)) = settings.last_mut()
        {
            *value += "\n";
            *value += starts;
        } else if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        } else {
            let (key, value) = line.split_once(['=', ':']).unwrap_or((line, ""));
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            settings.push((section.clone(), key, value));
        }
    }
    settings
}

/// The lines without comments, continued lines joined as pip does.
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
    /// Another requirements file.
    Requirements(&'a str),
    /// A constraints file.
    Constraints(&'a str),
    /// An option that needs no more than its text, by its name.
    Option(&'a str),
    Requirement,
}

fn understood(line: &str) -> Result<Line<'_>, String> {
    if !line.starts_with('-') {
        return requirement(line).map(|()| Line::Requirement);
    }
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let (option, rest) = line.split_at(end);
    let value = rest.trim_start_matches([' ', '\t', '=']);
    let is_requirements = ["-r", "--requirement"].contains(&option);
    if is_requirements || ["-c", "--constraint"].contains(&option) {
        return if value.is_empty() || value.contains(['"', '\'', ' ']) {
            Err(format!("{line:?} is not understood"))
        } else if is_requirements {
            Ok(Line::Requirements(value))
        } else {
            Ok(Line::Constraints(value))
        };
    }
    if LINE_OPTIONS.contains(&option) && !value.contains(" -") {
        return Ok(Line::Option(option.trim_start_matches('-')));
    }
    Err(format!("{line:?} is not understood"))
}

/// Checks that a requirement is a project name and not a path or URL.
fn requirement(line: &str) -> Result<(), String> {
    let starts = line.starts_with(|first: char| first.is_ascii_alphanumeric());
    // A `/`, an `@` or the suffix of an archive makes it a path or URL. Hashes and markers follow.
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

/// Removes user names and passwords from the URLs in a text.
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

/// A hash of the installed packages.
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
    fn lines_are_joined_and_comments_removed() {
        let text = "# all\none==1 \\\n  --hash=sha256:0\n\n  two # why\n-r more.txt\n";
        let expected = ["one==1   --hash=sha256:0", "two", "-r more.txt"];
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn requirements_without_a_name_have_no_key() {
        for line in [
            "one",
            "one==1 --hash=sha256:0",
            "one[a,b]>=1,<2; python_version < '3.9'",
        ] {
            assert_eq!(understood(line), Ok(Line::Requirement), "{line}");
        }
        for (line, expected) in [
            ("--no-index", Line::Option("no-index")),
            ("-f ../wheels", Line::Option("f")),
            ("--index-url=https://a/simple", Line::Option("index-url")),
            ("-r a/b.txt", Line::Requirements("a/b.txt")),
            ("--constraint=c.txt", Line::Constraints("c.txt")),
        ] {
            assert_eq!(understood(line), Ok(expected), "{line}");
        }
        for line in [
            "-e .",
            "--editable=x",
            "./one",
            "one-1.0-py3-none-any.whl",
            "one @ https://a/one.whl",
            "git+https://a/b",
            "https://a/b.zip",
            "--config-settings a=b",
            "-r 'a b.txt'",
            "\u{feff}one",
        ] {
            assert!(understood(line).is_err(), "{line}");
        }
    }

    #[test]
    fn credentials_are_removed_from_urls() {
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
