//! What `-p` can say: a path, a name on PATH, a version, an implementation, a range.
//!
//! Pure: knows what fits a request, not where a Python could be.

use std::str::FromStr as _;

use pep440_rs::{Version, VersionSpecifiers};

use super::traits::{Traits, Variant};

/// One `-p`, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// An executable, an installation prefix or an environment.
    Path(String),
    /// A name on PATH that says nothing about what it is.
    Name(String),
    /// Any Python with these properties.
    Wanted(Wanted),
}

/// The properties that a Python must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The request itself where it is also the name of an executable, as `python3.12` is.
    pub(crate) name: Option<String>,
    implementation: Option<&'static str>,
    versions: Versions,
    variant: Variant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Versions {
    Any,
    /// `3`, `3.12` or `3.12.1`.
    Prefix(Vec<u32>),
    Range(VersionSpecifiers),
}

/// Words in front of a version, the implementation that they mean, and whether word and version are an executable's name.
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
    /// Understands one `-p`. Every word that says no version is a name.
    ///
    /// # Errors
    ///
    /// Why a range is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(std::path::is_separator) || text == "." || text == ".." {
            return Ok(Self::Path(text.into()));
        }
        let (word, implementation, is_name) = WORDS
            .into_iter()
            .find(|(word, ..)| text.starts_with(word))
            .unwrap_or_default();
        let rest = &text[word.len()..];
        if rest.trim_start().starts_with(['<', '>', '=', '!', '~']) {
            let range = VersionSpecifiers::from_str(rest.trim())
                .map_err(|_| format!("{text:?} is no range of versions such as `>=3.10,<3.13`"))?;
            return Ok(Self::Wanted(Wanted {
                name: None,
                implementation,
                versions: Versions::Range(range),
                variant: Variant::default(),
            }));
        }
        if rest.is_empty() && !is_name && implementation.is_none() {
            return Ok(Self::Name(text.into()));
        }
        let is_separated = rest.starts_with('@') && !word.is_empty();
        let version = if is_separated { &rest[1..] } else { rest };
        let Some((versions, variant)) = version_and_variant(version, is_separated) else {
            return Ok(Self::Name(text.into()));
        };
        Ok(Self::Wanted(Wanted {
            name: (is_name && !is_separated).then(|| text.to_owned()),
            implementation,
            versions,
            variant,
        }))
    }
}

/// `3`, `3.12`, `3.12.1`, `312`; then `t`, `d`, `td`, `+freethreaded`, `+debug`.
fn version_and_variant(text: &str, must: bool) -> Option<(Versions, Variant)> {
    if text.is_empty() {
        return (!must).then_some((Versions::Any, Variant::default()));
    }
    let end = text
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(text.len());
    let variant = match &text[end..] {
        "" => (false, false),
        "t" | "+freethreaded" => (true, false),
        "d" | "+debug" => (false, true),
        "td" | "dt" | "+freethreaded+debug" => (true, true),
        _ => return None,
    };
    let mut numbers = Vec::new();
    for part in text[..end].split('.') {
        numbers.push(part.parse().ok()?);
    }
    if let ([_], (major, minor)) = (numbers.as_slice(), text[..end].split_at(1)) {
        // `312`, as in wheels' tags.
        if !minor.is_empty() {
            numbers = vec![major.parse().ok()?, minor.parse().ok()?];
        }
    }
    let variant = Variant {
        free_threaded: variant.0,
        debug: variant.1,
    };
    (numbers.len() <= 3).then_some((Versions::Prefix(numbers), variant))
}

impl Wanted {
    /// Whether a Python with these traits is meant; `None` if they do not tell.
    pub(crate) fn fits(&self, traits: &Traits) -> Option<bool> {
        if self
            .implementation
            .is_some_and(|name| name != traits.implementation)
            || (self.says_version() && self.variant != traits.variant)
        {
            return Some(false);
        }
        let Traits { major, minor, .. } = *traits;
        match &self.versions {
            Versions::Any => Some(true),
            Versions::Prefix(prefix) => {
                let known = [Some(major), Some(minor), traits.micro];
                let mut pairs = prefix.iter().zip(known);
                if pairs
                    .clone()
                    .any(|(wanted, known)| known.is_some_and(|known| known != *wanted))
                {
                    return Some(false);
                }
                pairs.all(|(_, known)| known.is_some()).then_some(true)
            }
            Versions::Range(range) => {
                let contains = |micro: u32| {
                    let release = [major, minor, micro].map(u64::from);
                    range.contains(&Version::new(release))
                };
                match traits.micro {
                    Some(micro) => Some(contains(micro)),
                    // A range that the lowest and the highest patch level agree on.
                    None => Some(contains(0)).filter(|fits| *fits == contains(9999)),
                }
            }
        }
    }

    /// Whether a Python may be taken that nobody called `python`: another implementation or variant must be asked for.
    pub(crate) fn is_meant_unnamed(&self, traits: &Traits) -> bool {
        self.implementation.unwrap_or("cpython") == traits.implementation
            && self.variant == traits.variant
    }

    /// The names under which it could lie in a folder, the most telling first.
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

    /// Whether a name with any minor version in it may be meant, `python3.11` say: a folder must be listed to know them.
    pub(crate) fn may_have_any_minor(&self) -> bool {
        match &self.versions {
            Versions::Any | Versions::Range(_) => true,
            Versions::Prefix(prefix) => prefix.len() == 1,
        }
    }

    /// How far away a Python is from what is wanted; the least is the nearest.
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

    /// `python3` means whatever `python3` is; `3.13` does not mean a free-threaded one.
    fn says_version(&self) -> bool {
        self.versions != Versions::Any && self.name.is_none() || self.variant != Variant::default()
    }
}

#[cfg(test)]
mod tests;
