//! The settings that bytecode depends on: invalidation mode, optimization level, debug ranges.

use crate::interpreter::Interpreter;

/// How `.pyc` files are created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bytecode {
    /// How Python detects that a source has changed.
    pub(crate) invalidation: Invalidation,
    /// `sys.flags.optimize`: the level of `-O`.
    pub(crate) optimize: u32,
    /// Whether code contains column numbers (`PYTHONNODEBUGRANGES`, 3.11 and later).
    pub(crate) debug_ranges: bool,
}

/// The values of `py_compile.PycInvalidationMode` that `compileall` selects itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalidation {
    /// By the mtime and the size of the source.
    Timestamp,
    /// By its hash: with `SOURCE_DATE_EPOCH`, 3.7 and later.
    CheckedHash,
}

impl Default for Bytecode {
    fn default() -> Self {
        Self {
            invalidation: Invalidation::Timestamp,
            optimize: 0,
            debug_ranges: true,
        }
    }
}

impl Bytecode {
    /// The settings that this Python would use in an environment with these variables; `variable` returns their values.
    ///
    /// Before 3.10 ensurepip ran isolated (gh-98251), so that Python ignored its own variables, but not
    /// `SOURCE_DATE_EPOCH`, which is not one of them.
    pub(crate) fn for_environment(
        interpreter: &Interpreter,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let is_set = |name| variable(name).filter(|value| !value.is_empty());
        let mut bytecode = Self::default();
        if interpreter.at_least(3, 7) && is_set("SOURCE_DATE_EPOCH").is_some() {
            bytecode.invalidation = Invalidation::CheckedHash;
        }
        if interpreter.at_least(3, 10) {
            // Python/initconfig.c, get_env_flag: a value that is not a number, or is negative, means 1.
            bytecode.optimize =
                is_set("PYTHONOPTIMIZE").map_or(0, |value| value.parse().unwrap_or(1));
        }
        if interpreter.at_least(3, 11) {
            bytecode.debug_ranges = is_set("PYTHONNODEBUGRANGES").is_none();
        }
        bytecode
    }

    /// The suffix of `.pyc` file names (`importlib.util.cache_from_source`).
    pub(crate) fn suffix(&self, cache_tag: &str) -> String {
        match self.optimize {
            0 => format!(".{cache_tag}.pyc"),
            level => format!(".{cache_tag}.opt-{level}.pyc"),
        }
    }
}
