//! Escapes the prompt prefix for each shell, so that drawing the prompt shows the name and runs nothing.

/// For bash, dash, mksh, yash and busybox ash, which expand PS1 as they expand a word between double quotes, but each
/// with sequences of its own. A name that would be expanded is drawn through the variable, whose value is expanded no further.
pub(crate) fn sh(prompt: &str) -> String {
    if prompt.contains(['\\', '$', '`', '!']) {
        "(${VIRTUAL_ENV_PROMPT-}) ".to_owned()
    } else {
        format!("({prompt}) ")
    }
}

/// For yash and busybox ash, which read escapes in the value of a variable as well: a backslash is doubled there.
pub(crate) fn yash(prompt: &str) -> String {
    if prompt.contains('\\') {
        r"(${VIRTUAL_ENV_PROMPT//\\/\\\\}) ".to_owned()
    } else {
        sh(prompt)
    }
}

/// For ksh93, which also reads quotes in PS1, and `!` even in the value of a variable.
pub(crate) fn ksh(prompt: &str) -> String {
    escaped(prompt, |character| match character {
        '\\' => Some(r"\\"),
        '$' => Some(r"\$"),
        '`' => Some(r"\`"),
        '"' => Some("\\\""),
        '\'' => Some(r"\'"),
        '!' => Some("!!"),
        _ => None,
    })
}

/// For zsh, where `PROMPT_SUBST` and `PROMPT_BANG` may be on or off and change later. `%1<<…%<<` keeps the last
/// character of what it encloses: the escape has become one character by then, or its last one is the right one.
pub(crate) fn zsh(prompt: &str) -> String {
    escaped(prompt, |character| match character {
        '\\' => Some(r"%1<<\\%<<"),
        '$' => Some(r"%1<<\$%<<"),
        '`' => Some(r"%1<<\`%<<"),
        '!' => Some("%1<<!!%<<"),
        '%' => Some("%%"),
        _ => None,
    })
}

/// For tcsh, whose prompt knows `%`, `!`, and `\` and `^` as in its key bindings.
pub(crate) fn csh(prompt: &str) -> String {
    escaped(prompt, |character| match character {
        '%' => Some("%%"),
        '!' => Some(r"\041"),
        '\\' => Some(r"\134"),
        '^' => Some(r"\136"),
        _ => None,
    })
}

/// For cmd, whose prompt knows `$`.
pub(crate) fn cmd(prompt: &str) -> String {
    escaped(prompt, |character| (character == '$').then_some("$$"))
}

fn escaped(prompt: &str, escape: impl Fn(char) -> Option<&'static str>) -> String {
    let mut drawn = String::with_capacity(prompt.len() + 3);
    drawn.push('(');
    for character in prompt.chars() {
        match escape(character) {
            Some(escaped) => drawn.push_str(escaped),
            None => drawn.push(character),
        }
    }
    drawn.push_str(") ");
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_the_same_in_every_shell() {
        for prefix in [sh, yash, ksh, zsh, csh, cmd] {
            assert_eq!(prefix("two words"), "(two words) ");
        }
    }

    // What is drawn is for the tests in the real shells to see.
    #[test]
    fn what_has_a_meaning_is_escaped() {
        let name = r"\$`!%^";
        assert_eq!(sh(name), "(${VIRTUAL_ENV_PROMPT-}) ");
        assert_eq!(yash(name), r"(${VIRTUAL_ENV_PROMPT//\\/\\\\}) ");
        assert_eq!(ksh(name), r"(\\\$\`!!%^) ");
        assert_eq!(zsh(name), r"(%1<<\\%<<%1<<\$%<<%1<<\`%<<%1<<!!%<<%%^) ");
        assert_eq!(csh(name), r"(\134$`\041%%\136) ");
        assert_eq!(cmd(name), r"(\$$`!%^) ");
    }
}
