//! The script template and script names of a pip, read from its source files.

use crate::installed::entry_points::EntryPoint;

/// The placeholders of a template.
const MODULE: &str = "%(module)s";
const IMPORT_NAME: &str = "%(import_name)s";
const FUNCTION: &str = "%(func)s";

/// The names of pip's own scripts (`ENSUREPIP_OPTIONS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Names {
    /// The variable is not set: `pip`, `pip3` and `pip3.N`.
    #[default]
    All,
    /// Any other value: without `pip`.
    Versioned,
    /// `altinstall`: only `pip3.N`.
    Alternative,
}

impl Names {
    /// Parses the value of `ENSUREPIP_OPTIONS`.
    pub(crate) fn from_options(value: Option<&str>) -> Self {
        match value {
            None => Self::All,
            Some("altinstall") => Self::Alternative,
            Some(_) => Self::Versioned,
        }
    }
}

/// How a version of pip generates scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScriptTemplates {
    template: String,
    /// distlib before 0.3 ends the shebang twice.
    blank_line: bool,
    /// Before 23.0 `pip3.10` was not recognized as a versioned name.
    two_digits: bool,
    /// Since 20.2 there is a file `REQUESTED` (PEP 627).
    pub(crate) requested: bool,
}

impl ScriptTemplates {
    /// Reads pip's module that installs wheels and the `scripts` module of its distlib.
    ///
    /// # Errors
    ///
    /// What was not found. Nothing is guessed: ensurepip is run instead.
    pub(crate) fn read(wheel_module: &str, distlib_scripts: &str) -> Result<Self, String> {
        // Python ignores the kind of line ends; pip 10.0 has CRLF.
        let wheel_module = &wheel_module.replace("\r\n", "\n");
        let distlib_scripts = &distlib_scripts.replace("\r\n", "\n");
        // pip replaced distlib's template up to 19.3, and again since 25.2.
        let template = if wheel_module.contains("script_template = ") {
            literal_after(wheel_module, "script_template = ")
        } else {
            literal_after(distlib_scripts, "\nSCRIPT_TEMPLATE = ")
        };
        let template = template.ok_or("its script template was not found")?;
        let mut rest = template.clone();
        for placeholder in [MODULE, IMPORT_NAME, FUNCTION] {
            if !rest.contains(placeholder) {
                return Err(format!("its script template has no {placeholder}"));
            }
            rest = rest.replace(placeholder, "");
        }
        if rest.contains('%') {
            return Err("its script template has an unknown placeholder".into());
        }
        let two_digits = wheel_module.contains(r"pip(\d+(\.\d+)?)?$");
        if !two_digits && !wheel_module.contains(r"pip(\d(\.\d)?)?$") {
            return Err("its script names are generated in an unknown way".into());
        }
        let sorts = ["sorted(outrows)", "sorted_outrows(", "_normalized_outrows("];
        if !sorts.iter().any(|sort| wheel_module.contains(sort)) {
            return Err("it writes RECORD in random order, as pip before 18.0 does".into());
        }
        Ok(Self {
            template,
            blank_line: distlib_scripts.contains("shebang + linesep + script_bytes"),
            two_digits,
            requested: wheel_module.contains("REQUESTED"),
        })
    }

    /// The script without its shebang.
    pub(crate) fn body(&self, entry: &EntryPoint) -> String {
        let import_name = entry.function.split('.').next().unwrap_or_default();
        let text = self
            .template
            .replace(MODULE, &entry.module)
            .replace(IMPORT_NAME, import_name)
            .replace(FUNCTION, &entry.function);
        if self.blank_line {
            format!("\n{text}")
        } else {
            text
        }
    }

    /// The scripts of a distribution (`get_console_script_specs`). A name occurs twice if pip creates it twice.
    ///
    /// pip and `easy_install` are named after the running Python instead of the version in their wheels.
    pub(crate) fn scripts(
        &self,
        mut points: Vec<EntryPoint>,
        [major, minor, _]: [u32; 3],
        names: Names,
    ) -> Vec<EntryPoint> {
        let mut scripts = Vec::new();
        let special = [
            ("pip", format!("pip{major}"), format!("pip{major}.{minor}")),
            (
                "easy_install",
                String::new(),
                format!("easy_install-{major}.{minor}"),
            ),
        ];
        for (plain, with_major, with_minor) in special {
            let Some(index) = points.iter().position(|point| point.name == plain) else {
                continue;
            };
            let point = points.remove(index);
            points.retain(|other| !self.is_versioned(&other.name, plain));
            let wanted = [
                (plain.to_string(), names == Names::All),
                (with_major, names != Names::Alternative),
                (with_minor, true),
            ];
            for (name, _) in wanted
                .into_iter()
                .filter(|(name, wanted)| *wanted && !name.is_empty())
            {
                scripts.push(EntryPoint {
                    name,
                    ..point.clone()
                });
            }
        }
        scripts.append(&mut points);
        scripts
    }

    /// `pip(\d+(\.\d+)?)?$` and `easy_install(-\d+\.\d+)?$`; in old versions of pip one digit each.
    fn is_versioned(&self, name: &str, plain: &str) -> bool {
        let Some(version) = name.strip_prefix(plain) else {
            return false;
        };
        let number = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && (self.two_digits || text.len() == 1)
        };
        let pair = |text: &str| {
            text.split_once('.')
                .is_some_and(|(major, minor)| number(major) && number(minor))
        };
        if plain == "pip" {
            version.is_empty() || number(version) || pair(version)
        } else {
            version.is_empty() || version.strip_prefix('-').is_some_and(pair)
        }
    }
}

/// The string literal after `assignment`, dedented if it is wrapped in `textwrap.dedent`.
fn literal_after(source: &str, assignment: &str) -> Option<String> {
    let (_, rest) = source.split_once(assignment)?;
    let (rest, dedent) = match rest.strip_prefix("textwrap.dedent(") {
        Some(rest) => (rest.trim_start(), true),
        None => (rest, false),
    };
    let (rest, raw) = rest
        .strip_prefix('r')
        .map_or((rest, false), |rest| (rest, true));
    let quotes = rest
        .get(..3)
        .filter(|quotes| matches!(*quotes, "\"\"\"" | "'''"))?;
    let (text, _) = rest[3..].split_once(quotes)?;
    let text = if raw {
        text.to_string()
    } else {
        text.replace("\\\n", "")
    };
    if !raw && text.contains('\\') {
        return None;
    }
    Some(if dedent { dedented(&text) } else { text })
}

/// `textwrap.dedent` for a text that is indented with spaces.
fn dedented(text: &str) -> String {
    let lines = || text.split('\n').filter(|line| !line.trim().is_empty());
    let margin = lines()
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min()
        .unwrap_or(0);
    let cut = |line: &str| {
        if line.trim().is_empty() {
            String::new()
        } else {
            line[margin..].to_string()
        }
    };
    text.split('\n').map(cut).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
