//! Console scripts: their names, the body that the installing pip gives them, and their first lines.
//!
//! Renders text; knows no disk and nothing of wheels but their `entry_points.txt` and pip's own sources.

/// Which of pip's names ensurepip makes: what `ENSUREPIP_OPTIONS` says to the installing pip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Names {
    /// The variable is not set: `pip`, `pip3` and `pip3.N`.
    #[default]
    All,
    /// Any other value: without the plain `pip`.
    Versioned,
    /// `altinstall`: `pip3.N` alone.
    Alternative,
}

impl Names {
    /// What the value of `ENSUREPIP_OPTIONS` means, if it is set.
    pub(crate) fn from_options(value: Option<&str>) -> Self {
        match value {
            None => Self::All,
            Some("altinstall") => Self::Alternative,
            Some(_) => Self::Versioned,
        }
    }
}

/// One entry point that becomes a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryPoint {
    /// The file's name.
    pub(crate) name: String,
    module: String,
    function: String,
}

/// What the sources of one pip say about the scripts that it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generation {
    template: String,
    /// distlib before 0.3 ended the shebang twice.
    blank_line: bool,
    /// Before 23.0 `pip3.10` was not seen to be a versioned name.
    two_digits: bool,
    /// Since 20.2 there is a file `REQUESTED` (PEP 627's companion).
    pub(crate) requested: bool,
}

impl Generation {
    /// Reads it off the module of pip that installs wheels and off the `scripts` module of its distlib.
    ///
    /// # Errors
    ///
    /// What was sought in vain; there is no guessing, because the ensurepip producer always knows.
    pub(crate) fn read(wheel_module: &str, distlib_scripts: &str) -> Result<Self, String> {
        let template = literal_after(wheel_module, "script_template = ")
            .or_else(|| literal_after(distlib_scripts, "\nSCRIPT_TEMPLATE = "))
            .ok_or("the text of its console scripts is not where pip has had it")?;
        let placeholders = ["%(module)s", "%(import_name)s", "%(func)s"];
        let rest = placeholders
            .iter()
            .fold(template.clone(), |text, placeholder| {
                text.replace(placeholder, "")
            });
        if rest.contains('%')
            || placeholders
                .iter()
                .any(|placeholder| !template.contains(placeholder))
        {
            return Err(
                "the text of its console scripts has other placeholders than pip has had".into(),
            );
        }
        if !wheel_module.contains(r"pip(\d") {
            return Err(
                "the names of its console scripts are not made as pip has made them".into(),
            );
        }
        Ok(Self {
            template,
            blank_line: distlib_scripts.contains("shebang + linesep + script_bytes"),
            two_digits: wheel_module.contains(r"pip(\d+(\.\d+)?)?$"),
            requested: wheel_module.contains("REQUESTED"),
        })
    }

    /// The script without its shebang.
    pub(crate) fn body(&self, entry: &EntryPoint) -> String {
        let import_name = entry.function.split('.').next().unwrap_or_default();
        let text = self
            .template
            .replace("%(module)s", &entry.module)
            .replace("%(import_name)s", import_name)
            .replace("%(func)s", &entry.function);
        if self.blank_line {
            format!("\n{text}")
        } else {
            text
        }
    }

    /// The scripts of one distribution (`get_console_script_specs`), a name twice where pip makes it twice.
    ///
    /// pip and `easy_install` get the names of the running Python instead of the versions in their wheels.
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

    /// `pip(\d+(\.\d+)?)?$` and `easy_install(-\d+\.\d+)?$`, with one digit each in old pips.
    fn is_versioned(&self, name: &str, plain: &str) -> bool {
        let Some(version) = name.strip_prefix(plain) else {
            return false;
        };
        let number = |text: &str| {
            !text.is_empty()
                && text.chars().all(char::is_numeric)
                && (self.two_digits || text.chars().count() == 1)
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

/// The string literal that follows `assignment`, dedented if the source says so.
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

/// `textwrap.dedent` of a text indented with spaces.
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

/// The entry points of `entry_points.txt` that become scripts: `console_scripts`, then `gui_scripts`, which are the same
/// everywhere but on Windows.
///
/// # Errors
///
/// What is wrong with an entry point, as distlib would refuse it, or a name that would leave the folder of scripts.
pub(crate) fn entry_points(text: &str) -> Result<Vec<EntryPoint>, String> {
    let mut points: [Vec<EntryPoint>; 2] = Default::default();
    let mut group = None;
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']))
    {
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            group = ["console_scripts", "gui_scripts"]
                .iter()
                .position(|known| *known == section.trim());
        } else if let Some(group) = group {
            let point = entry_point(line).ok_or_else(|| {
                format!("{line:?} is no entry point that a script can be made of")
            })?;
            points[group].retain(|other| other.name != point.name);
            points[group].push(point);
        }
    }
    Ok(points.concat())
}

fn entry_point(line: &str) -> Option<EntryPoint> {
    let (name, value) = line.split_once('=')?;
    // Extras are allowed by the specification and mean nothing to a script.
    let reference = value.split('[').next().unwrap_or_default();
    let (module, function) = reference.split_once(':')?;
    let (name, module, function) = (name.trim(), module.trim(), function.trim());
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_dotted = |path: &str| path.split('.').all(is_word);
    let escapes = matches!(name, "" | "." | "..")
        || name.contains(|c: char| {
            matches!(c, '/' | '\\' | ':' | '[') || c.is_whitespace() || c.is_control()
        });
    if escapes || !is_dotted(module) || !is_dotted(function) {
        return None;
    }
    Some(EntryPoint {
        name: name.into(),
        module: module.into(),
        function: function.into(),
    })
}

/// A whole script: `body` as [`Generation::body`] made it, started by `executable`.
pub(crate) fn render(executable: &str, body: &str, limit: usize) -> String {
    let shebang = shebang(executable, limit);
    // Where the old distlib ended the shebang twice, the three lines had no end of their own.
    let body = if is_simple(executable, limit) {
        body
    } else {
        body.strip_prefix('\n').unwrap_or(body)
    };
    format!("{shebang}{body}")
}

/// The first lines of a script, with the end of the last one, by distlib's rule (`ScriptMaker._build_shebang`).
///
/// Unlike distlib: where a character of the path would end the line, be a coding cookie, or be expanded by the shell,
/// Python is found beside the script instead, because nothing in a name is ever executed.
pub(crate) fn shebang(executable: &str, limit: usize) -> String {
    if is_simple(executable, limit) {
        if executable.contains(['\t', '\n', '\r', '\u{b}', '\u{c}', '\0'])
            || executable.contains("coding:")
            || executable.contains("coding=")
        {
            return launcher(executable);
        }
        return format!("#!{executable}\n");
    }
    let spaced = executable.contains(' ');
    let special: &[char] = if spaced {
        &['"', '$', '`', '\\']
    } else {
        &[
            '"', '$', '`', '\\', '\'', '&', ';', '|', '<', '>', '(', ')', '*', '?', '[', '{', '\t',
            '\n', '\r', '\u{b}', '\u{c}',
        ]
    };
    if executable.contains(special) || executable.contains("'''") {
        return launcher(executable);
    }
    let quote = if spaced { "\"" } else { "" };
    format!("#!/bin/sh\n'''exec' {quote}{executable}{quote} \"$0\" \"$@\"\n' '''\n")
}

/// distlib's condition for a plain `#!` line: three more bytes are the `#!` and the line's end.
fn is_simple(executable: &str, limit: usize) -> bool {
    !executable.contains(' ') && executable.len() + 3 <= limit
}

/// First lines that start the Python beside the script, wherever both are: for `--relocatable`.
///
/// A symlink to the script is followed by `readlink` alone, because `realpath` is missing on older systems. The whole is
/// a string to Python, so there is no backslash and no `'''` within it.
pub(crate) fn launcher(executable: &str) -> String {
    let name = executable.rsplit('/').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    // Every environment has a `python`; a name that the shell would read otherwise is not worth quoting.
    let name = if !name.is_empty() && name.chars().all(is_plain) {
        name
    } else {
        "python"
    };
    format!(
        r#"#!/bin/sh
''':'
script=$0
case $script in /*) ;; *) script=./$script ;; esac
while [ -h "$script" ]; do
    target=$(readlink "$script" && echo .)
    target=${{target%??}}
    case $target in /*) script=$target ;; *) script=${{script%/*}}/$target ;; esac
done
exec "${{script%/*}}/{name}" "$0" "$@"
' '''
"#
    )
}
