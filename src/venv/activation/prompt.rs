//! Escapes the prompt prefix for each shell, so that the prompt shows it literally and runs nothing.

/// For bash, dash, mksh, yash and busybox ash, which expand PS1 like a word in double quotes, each with its own escape
/// sequences. A name that would be expanded is shown through the variable, whose value is not expanded again.
pub(crate) fn sh(prompt: &str) -> String {
    if prompt.contains(['\\', '$', '`', '!']) {
        "(${VIRTUAL_ENV_PROMPT-}) ".to_owned()
    } else {
        format!("({prompt}) ")
    }
}

/// For yash and busybox ash, which also interpret escape sequences in the value of a variable: backslashes are doubled.
pub(crate) fn yash(prompt: &str) -> String {
    if prompt.contains('\\') {
        r"(${VIRTUAL_ENV_PROMPT//\\/\\\\}) ".to_owned()
    } else {
        sh(prompt)
    }
}

/// For ksh93, which also interprets quotes in PS1, and `!` even in the value of a variable.
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

/// For zsh, where `PROMPT_SUBST` and `PROMPT_BANG` may be set or not, and change later. `%1<<…%<<` keeps the last
/// character of its contents, which is the right one in each case.
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

/// For tcsh, whose prompt interprets `%`, `!`, and `\` and `^` as in its key bindings.
pub(crate) fn csh(prompt: &str) -> String {
    escaped(prompt, |character| match character {
        '%' => Some("%%"),
        '!' => Some(r"\041"),
        '\\' => Some(r"\134"),
        '^' => Some(r"\136"),
        _ => None,
    })
}

/// For cmd, whose prompt interprets `$`.
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

    // The integration tests check what is shown in the real shells.
    #[test]
    fn special_characters_of_prompts_are_escaped() {
        let name = r"\$`!%^";
        assert_eq!(sh(name), "(${VIRTUAL_ENV_PROMPT-}) ");
        assert_eq!(yash(name), r"(${VIRTUAL_ENV_PROMPT//\\/\\\\}) ");
        assert_eq!(ksh(name), r"(\\\$\`!!%^) ");
        assert_eq!(zsh(name), r"(%1<<\\%<<%1<<\$%<<%1<<\`%<<%1<<!!%<<%%^) ");
        assert_eq!(csh(name), r"(\134$`\041%%\136) ");
        assert_eq!(cmd(name), r"(\$$`!%^) ");
    }
}
