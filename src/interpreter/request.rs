//! Parses the value of `--python`: a path, a name, a version, an implementation or a version range.

use std::env::consts::OS;
use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use crate::interpreter::version::{Machine, Traits, Variant};

/// A parsed `-p`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// An executable, an installation prefix or an environment.
    Path(String),
    /// A name on PATH without a version.
    Name(String),
    /// Any Python with these properties.
    Version(VersionRequest),
}

/// The properties that a Python must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VersionRequest {
    /// The request itself if it is also the name of an executable, such as `python3.12`.
    pub(crate) name: Option<String>,
    implementation: Option<&'static str>,
    versions: Versions,
    /// `rc1`; `None` if no pre-release is requested.
    prerelease: Option<String>,
    variant: Variant,
    platform: Platform,
}

/// Whether a Python matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Yes,
    No,
    /// Not enough is known: the Python must be queried.
    Unknown,
}

impl Match {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }
}

impl From<bool> for Match {
    fn from(matches: bool) -> Self {
        if matches { Self::Yes } else { Self::No }
    }
}

/// The requested size of a pointer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum PointerSize {
    #[default]
    Any,
    Bits32,
    Bits64,
}

/// The requested platform: `-64`, `-linux-x86_64-gnu`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Platform {
    pointer_size: PointerSize,
    system: Option<String>,
    architecture: Option<String>,
    libc: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Versions {
    Any,
    /// `3`, `3.12` or `3.12.1`.
    Prefix(Vec<u32>),
    Range(VersionSpecifiers),
}

/// Words before a version, their implementation, and whether the word with the version is the name of an executable.
const WORDS: [(&str, Option<&str>, bool); 8] = [
    ("cpython", Some("cpython"), false),
    ("python", None, true),
    ("cp", Some("cpython"), false),
    ("pypy", Some("pypy"), true),
    ("pp", Some("pypy"), false),
    ("graalpy", Some("graalpy"), true),
    ("py", None, false),
    ("", None, false),
];

impl Request {
    /// Parses a value of `--python`. A word without a version is a name.
    ///
    /// # Errors
    ///
    /// Why a range is not valid.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bare = text.trim();
        if bare.contains(std::path::is_separator) || bare == "." || bare == ".." {
            return Ok(Self::Path(text.into()));
        }
        let wanted = VersionRequest::parse(&bare.to_ascii_lowercase())?;
        Ok(wanted.map_or_else(|| Self::Name(bare.into()), Self::Version))
    }

    /// Whether it can only match a command on PATH.
    pub(crate) fn is_a_command(&self) -> bool {
        match self {
            Self::Path(_) | Self::Name(_) => true,
            Self::Version(wanted) => wanted.name.is_some() && wanted.may_have_any_minor(),
        }
    }
}

impl VersionRequest {
    /// Parses a lowercase request; `None` if it is a name.
    fn parse(text: &str) -> Result<Option<Self>, String> {
        let (word, implementation, is_name) = WORDS
            .into_iter()
            .find(|(word, ..)| text.starts_with(word))
            .unwrap_or_default();
        let rest = &text[word.len()..];
        let wanted = |name, versions, prerelease, variant, platform| Self {
            name,
            implementation,
            versions,
            prerelease,
            variant,
            platform,
        };
        if rest.trim_start().starts_with(['<', '>', '=', '!', '~']) {
            let range = VersionSpecifiers::from_str(rest.trim())
                .map_err(|_| format!("{text:?} is not a version range such as `>=3.10,<3.13`"))?;
            let (variant, platform) = Default::default();
            let versions = Versions::Range(range);
            return Ok(Some(wanted(None, versions, None, variant, platform)));
        }
        if rest.is_empty() && !is_name && implementation.is_none() {
            return Ok(None);
        }
        let separated = rest.strip_prefix(['@', '-']).filter(|_| !word.is_empty());
        let (version, platform) = separated
            .unwrap_or(rest)
            .split_once('-')
            .map_or((separated.unwrap_or(rest), None), |(version, platform)| {
                (version, Some(platform))
            });
        let Some((versions, prerelease, variant)) = version_of(version, separated.is_some()) else {
            return Ok(None);
        };
        let is_plain = separated.is_none() && platform.is_none() && prerelease.is_none();
        let name = (is_name && is_plain && !text.ends_with('*')).then(|| text.to_owned());
        let platform = platform.map_or(Some(Platform::default()), Platform::parse);
        Ok(platform.map(|platform| wanted(name, versions, prerelease, variant, platform)))
    }
}

impl Platform {
    /// Parses `64` and `32` as virtualenv does, and system, architecture and libc as in uv's keys.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = || parts.next().map(str::to_owned).filter(|part| part != "any");
        let first = part();
        let platform = match first.as_deref() {
            Some("64") => Self {
                pointer_size: PointerSize::Bits64,
                ..Self::default()
            },
            Some("32") => Self {
                pointer_size: PointerSize::Bits32,
                ..Self::default()
            },
            None | Some("linux" | "macos" | "windows") => Self {
                pointer_size: PointerSize::Any,
                system: first,
                architecture: part(),
                libc: part().filter(|libc| libc != "none"),
            },
            Some(_) => return None,
        };
        parts.next().is_none().then_some(platform)
    }

    /// Whether the machine matches. Every Python that runs here is one for this system.
    fn matches(&self, machine: Option<&Machine>) -> Match {
        if self.system.as_deref().unwrap_or(OS) != OS {
            return Match::No;
        }
        if self.pointer_size == PointerSize::Any
            && self.architecture.is_none()
            && self.libc.is_none()
        {
            return Match::Yes;
        }
        let Some(machine) = machine else {
            return Match::Unknown;
        };
        let has_pointer_size = match self.pointer_size {
            PointerSize::Any => true,
            PointerSize::Bits32 => !machine.is_64bit,
            PointerSize::Bits64 => machine.is_64bit,
        };
        let is = |wanted: &Option<String>, known: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| {
                known.is_none_or(|known| Machine::architecture(wanted) == known)
            })
        };
        Match::from(
            has_pointer_size
                && is(&self.architecture, Some(&machine.architecture))
                && is(&self.libc, machine.libc.as_deref()),
        )
    }
}

/// `3`, `3.12`, `3.12.1`, `312`, `3.12.*`, `3.14rc1`, `any`; then `t`, `d`, `td`, `+freethreaded`, `+debug`.
fn version_of(text: &str, must: bool) -> Option<(Versions, Option<String>, Variant)> {
    if text == "any" || text.is_empty() {
        let is_any = !text.is_empty() || !must;
        return is_any.then_some((Versions::Any, None, Variant::default()));
    }
    let is_digit = |character: char| character.is_ascii_digit();
    let text = text.strip_suffix(".*").unwrap_or(text);
    let end = text
        .find(|character: char| !is_digit(character) && character != '.')
        .unwrap_or(text.len());
    let (text, mut rest) = text.split_at(end);
    let mut prerelease = None;
    for mark in ["rc", "a", "b"] {
        if let Some(number) = rest.strip_prefix(mark) {
            let after = number.trim_start_matches(is_digit);
            if after.len() < number.len() {
                prerelease = Some(rest[..rest.len() - after.len()].to_owned());
                rest = after;
                break;
            }
        }
    }
    let (free_threaded, debug) = match rest {
        "" => (false, false),
        "t" | "+freethreaded" => (true, false),
        "d" | "+debug" => (false, true),
        "td" | "dt" | "+freethreaded+debug" => (true, true),
        _ => return None,
    };
    let mut numbers = Vec::new();
    for part in text.split('.') {
        numbers.push(part.parse().ok()?);
    }
    if let ([_], (major, minor)) = (numbers.as_slice(), text.split_at(1)) {
        // `312`, as in wheels' tags.
        if !minor.is_empty() {
            numbers = vec![major.parse().ok()?, minor.parse().ok()?];
        }
    }
    if prerelease.is_some() && numbers.len() == 2 {
        numbers.push(0);
    }
    let variant = Variant {
        free_threaded,
        debug,
    };
    (numbers.len() <= 3).then_some((Versions::Prefix(numbers), prerelease, variant))
}

impl VersionRequest {
    /// Whether a Python with these traits matches.
    pub(crate) fn matches(&self, traits: &Traits) -> Match {
        let is_other = self
            .implementation
            .is_some_and(|name| name != traits.implementation);
        if is_other || (self.says_version() && self.variant != traits.variant) {
            return Match::No;
        }
        self.matches_version(traits)
            .and(self.platform.matches(traits.machine.as_ref()))
    }

    fn matches_version(&self, traits: &Traits) -> Match {
        let Traits { major, minor, .. } = *traits;
        match &self.versions {
            Versions::Any => Match::Yes,
            Versions::Prefix(prefix) => {
                let known = [Some(major), Some(minor), traits.micro];
                let numbers = prefix.iter().zip(known);
                let numbers = numbers.map(|(wanted, known)| match known {
                    Some(known) => Match::from(known == *wanted),
                    None => Match::Unknown,
                });
                let prerelease = match (&self.prerelease, traits.micro) {
                    (None, _) => Match::Yes,
                    (Some(_), None) => Match::Unknown,
                    (Some(wanted), Some(_)) => Match::from(*wanted == traits.prerelease),
                };
                numbers.fold(prerelease, Match::and)
            }
            Versions::Range(range) => matches_range(range, traits),
        }
    }

    /// Whether a Python whose name is not `python` matches: another implementation or variant must be requested.
    pub(crate) fn matches_default_python(&self, traits: &Traits) -> bool {
        self.implementation.unwrap_or("cpython") == traits.implementation
            && self.variant == traits.variant
    }

    /// The names that the executable may have, the most specific first.
    pub(crate) fn names(&self) -> Vec<String> {
        let word = match self.implementation {
            Some(name) if name != "cpython" => name,
            _ => "python",
        };
        let mut names = Vec::new();
        let mut major = 3;
        if let Versions::Prefix(prefix) = &self.versions {
            if let [first, minor, ..] = prefix.as_slice() {
                let t = if self.variant.free_threaded { "t" } else { "" };
                if self.variant.debug {
                    names.push(format!("{word}{first}.{minor}{t}d"));
                }
                names.push(format!("{word}{first}.{minor}{t}"));
            }
            major = prefix[0];
        }
        names.push(format!("{word}{major}"));
        names.push(word.into());
        names
    }

    /// Whether a name with any minor version matches, such as `python3.11`, so that directories must be listed.
    pub(crate) fn may_have_any_minor(&self) -> bool {
        match &self.versions {
            Versions::Any | Versions::Range(_) => true,
            Versions::Prefix(prefix) => prefix.len() == 1,
        }
    }

    /// How much a Python differs from the request. The smallest value is the closest match.
    pub(crate) fn distance(&self, traits: &Traits) -> (bool, bool, u32, u32) {
        let wanted = match &self.versions {
            Versions::Any => Vec::new(),
            Versions::Prefix(prefix) => prefix.clone(),
            Versions::Range(range) => range
                .iter()
                .next()
                .map(|specifier| specifier.version().release())
                .unwrap_or_default()
                .iter()
                .filter_map(|number| u32::try_from(*number).ok())
                .collect(),
        };
        let away =
            |place: usize, known: u32| wanted.get(place).map_or(0, |wanted| wanted.abs_diff(known));
        (
            self.implementation.unwrap_or("cpython") != traits.implementation
                || away(0, traits.major) > 0,
            self.variant != traits.variant,
            away(1, traits.minor),
            traits.micro.map_or(0, |micro| away(2, micro)),
        )
    }

    /// `python3` is any version of `python3`, but `3.13` is never a free-threaded build.
    fn says_version(&self) -> bool {
        self.versions != Versions::Any && self.name.is_none() || self.variant != Variant::default()
    }
}

/// Whether a range contains a version. If the patch level is unknown: whether it contains all patch levels or none.
fn matches_range(range: &VersionSpecifiers, traits: &Traits) -> Match {
    let minor = [traits.major, traits.minor].map(u64::from);
    let names_prereleases = range.iter().any(|one| one.version().any_prerelease());
    let contains = |micro: u64| {
        let mut text = format!("{}.{}.{micro}", minor[0], minor[1]);
        // `>=3.14` also matches 3.14.0rc1, unless the range contains a pre-release.
        if names_prereleases {
            text.push_str(&traits.prerelease);
        }
        Version::from_str(&text).is_ok_and(|version| range.contains(&version))
    };
    if let Some(micro) = traits.micro {
        return contains(micro.into()).into();
    }
    // The result can only change at the versions in the range.
    let mut micros = vec![0, u64::from(u32::MAX)];
    for specifier in range.iter() {
        let release = specifier.version().release();
        if release.get(..2) == Some(&minor[..]) || release.len() < 2 {
            let named = release.get(2).copied().unwrap_or_default();
            micros.extend([named.saturating_sub(1), named, named + 1]);
            if specifier.version().any_prerelease() {
                return Match::Unknown;
            }
        }
    }
    let first = contains(micros[0]);
    if micros.into_iter().all(|micro| contains(micro) == first) {
        first.into()
    } else {
        Match::Unknown
    }
}

#[cfg(test)]
mod tests;
