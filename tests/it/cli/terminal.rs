//! Output that appears only at a terminal: colors, a spinner, pip's progress. Uses a pseudo-terminal.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Once;

use fs_err as fs;

use crate::env::{Outcome, TestEnv, program};
use crate::harness::some;
use crate::interpreters::newest;
use crate::wheel::write_wheel;

crate::harness::trials! {
    errors_are_colored_on_a_terminal_only_and_by_the_variables,
    the_option_for_color_counts_more_than_variables,
    warnings_are_colored_and_quiet_prints_none,
    quiet_still_prints_errors,
    a_spinner_turns_while_a_person_waits_and_leaves_no_trace(full),
    fast_runs_show_no_spinner,
    a_first_run_says_that_pip_is_prepared_once(part),
    the_first_run_ends_with_how_to_activate_in_the_shell_one_is_in,
    an_error_follows_where_the_spinner_was,
    several_that_wait_show_one_spinner_and_errors_lines_of_their_own(full),
    pips_progress_is_shown_to_a_person_only(full),
    verbose_ends_with_a_summary,
    a_different_version_in_python_version_is_reported,
}

const RED: &str = "\u{1b}[1m\u{1b}[31mError:";
const YELLOW: &str = "\u{1b}[1m\u{1b}[33mWarning:";

/// The shared cache, filled: the first run with a cache prints more.
static MADE: Once = Once::new();

type Variables = &'static [(&'static str, &'static str)];

/// Runs rvenv with stdout and stderr on a terminal. The stdout of the outcome is the output of the terminal.
fn on_a_terminal(env: &TestEnv, args: &[&str], vars: &[(&str, &str)]) -> Outcome {
    let script = "import os, pty, sys\n\
                  status = pty.spawn(sys.argv[1:])\n\
                  sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)\n";
    MADE.call_once(|| {
        let run = TestEnv::new();
        let run = run.rvenv_for(newest(), ["--without-pip", "env"]);
        run.shared_cache().succeeds();
    });
    let program = program();
    let mut line = vec!["-c", script, program.to_str().unwrap()];
    line.extend_from_slice(args);
    let run = env
        .run(&newest().executable, line)
        .shared_cache()
        .var("TERM", "xterm");
    let run = vars
        .iter()
        .fold(run, |run, (name, value)| run.var(name, value));
    run.outcome()
}

/// As [`on_a_terminal`], with the cache that is named and from within a shell.
fn in_a_shell_on_a_terminal(
    env: &TestEnv,
    shell: &str,
    args: &[&str],
    vars: &[(&str, &str)],
) -> Outcome {
    let script = "import os, pty, sys\n\
                  status = pty.spawn([sys.argv[1], '-c', '\"$0\" \"$@\"; exit $?', *sys.argv[2:]])\n\
                  sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)\n";
    let program = program();
    let mut line = vec!["-c", script, shell, program.to_str().unwrap()];
    line.extend_from_slice(args);
    let run = env
        .run(&newest().executable, line)
        .var("TERM", "xterm")
        .var("PIP_NO_INDEX", "1");
    let run = vars
        .iter()
        .fold(run, |run, (name, value)| run.var(name, value));
    run.outcome()
}

/// A Python that is slow to answer.
fn slow_python(env: &TestEnv) -> PathBuf {
    let path = env.root().join("python3");
    let text = format!(
        "#!/bin/sh\nsleep 2\nexec '{}' \"$@\"\n",
        newest().executable.display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The visible text after `\r` has been applied.
fn screen(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let mut shown: Vec<char> = Vec::new();
        for part in line.split('\r') {
            for (column, character) in part.chars().enumerate() {
                if column < shown.len() {
                    shown[column] = character;
                } else {
                    shown.push(character);
                }
            }
        }
        lines.push(shown.into_iter().collect::<String>().trim_end().to_owned());
    }
    lines
}

fn errors_are_colored_on_a_terminal_only_and_by_the_variables() {
    let env = TestEnv::new();
    let failing = ["-p", "9.9", "env"];
    let cases: [(Variables, bool, bool); 10] = [
        // variables, colored on a terminal, colored elsewhere
        (&[], true, false),
        (&[("NO_COLOR", "1")], false, false),
        (&[("NO_COLOR", "")], true, false),
        (&[("FORCE_COLOR", "1")], true, true),
        (&[("CLICOLOR_FORCE", "1")], true, true),
        (&[("CLICOLOR_FORCE", "0")], true, false),
        (&[("CLICOLOR", "0")], false, false),
        (&[("CLICOLOR", "1")], true, false),
        (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], false, false),
        (&[("TERM", "dumb")], false, false),
    ];
    for (vars, terminal, elsewhere) in cases {
        let outcome = on_a_terminal(&env, &failing, vars);
        outcome.expect_code(1);
        assert_eq!(
            outcome.stdout.contains(RED),
            terminal,
            "{vars:?}: {outcome}"
        );
        assert_eq!(
            outcome.stdout.contains('\u{1b}'),
            terminal,
            "{vars:?}: {outcome}"
        );
        let run = env.rvenv(failing);
        let run = vars
            .iter()
            .fold(run, |run, (name, value)| run.var(name, value));
        let outcome = run.outcome();
        assert_eq!(
            outcome.stderr.contains('\u{1b}'),
            elsewhere,
            "{vars:?}: {outcome}"
        );
        assert_eq!(
            outcome.stderr.starts_with("Error: "),
            !elsewhere,
            "{outcome}"
        );
    }
    let usage = on_a_terminal(&env, &["--bogus"], &[]);
    usage.expect_code(2);
    assert!(usage.stdout.contains("\u{1b}[31merror:"), "{usage}");
    env.holds_only([]);
}

fn the_option_for_color_counts_more_than_variables() {
    let env = TestEnv::new();
    for (when, terminal, elsewhere) in [
        ("auto", true, false),
        ("always", true, true),
        ("never", false, false),
    ] {
        let failing = ["-p", "9.9", "--color", when, "env"];
        let variables: Variables = &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")];
        let outcome = on_a_terminal(&env, &failing, variables);
        assert_eq!(outcome.stdout.contains(RED), terminal, "{when}: {outcome}");
        let outcome = env.rvenv(failing).var("NO_COLOR", "1").outcome();
        let is_colored = outcome.stderr.contains('\u{1b}');
        assert_eq!(is_colored, elsewhere, "{when}: {outcome}");
    }
    env.rvenv(["--color", "sometimes", "env"])
        .fails(2, &["sometimes", "always"]);
    env.holds_only([]);
}

fn warnings_are_colored_and_quiet_prints_none() {
    for (flags, forced, word) in [
        (&[][..], true, YELLOW),
        (&[], false, "Warning: "),
        (&["-q"], false, ""),
        (&["-v", "--quiet"], false, ""),
        (&["-q", "-v"], false, "Warning: "),
    ] {
        let env = TestEnv::new();
        // Packages of another version are left behind, which is a warning.
        let other = env.at("env/lib/python3.5/site-packages");
        crate::wheel::write_installed(&other, "old", "1.0");
        fs::write(env.at("env/pyvenv.cfg"), "").unwrap();
        let args = [flags, &["--without-pip", "env"]].concat();
        let run = env.rvenv_for(newest(), args);
        let run = if forced {
            run.var("FORCE_COLOR", "1")
        } else {
            run
        };
        let outcome = run.outcome();
        outcome.expect_code(0);
        assert_eq!(outcome.stdout, "");
        assert_eq!(
            outcome.stderr.contains("Warning"),
            !word.is_empty(),
            "{outcome}"
        );
        assert!(outcome.stderr.contains(word), "{outcome}");
        if flags == ["-q"] {
            assert_eq!(outcome.stderr, "", "{outcome}");
        }
    }
}

fn quiet_still_prints_errors() {
    let env = TestEnv::new();
    env.rvenv(["-q", "-p", "9.9", "env"]).errs(&["9.9"]);
}

fn a_spinner_turns_while_a_person_waits_and_leaves_no_trace() {
    let env = TestEnv::new();
    let python = slow_python(&env);
    let args = ["--without-pip", "-p", python.to_str().unwrap(), "env"];
    let outcome = on_a_terminal(&env, &args, &[]);
    outcome.expect_code(0);
    assert!(outcome.stdout.contains("Querying Python"), "{outcome}");
    assert_eq!(screen(&outcome.stdout), [""], "{outcome}");
    env.reset();
    let outcome = on_a_terminal(&env, &args, &[("TERM", "dumb")]);
    assert_eq!(outcome.stdout, "", "{outcome}");
    env.reset();
    let outcome = on_a_terminal(&env, &[&["-q"], &args[..]].concat(), &[]);
    assert_eq!(outcome.stdout, "", "{outcome}");
    env.reset();
    env.rvenv(args).succeeds();
}

fn fast_runs_show_no_spinner() {
    let env = TestEnv::new();
    let python = newest().executable.to_str().unwrap();
    let outcome = on_a_terminal(&env, &["--without-pip", "-p", python, "env"], &[]);
    outcome.expect_code(0);
    assert_eq!(outcome.stdout, "", "{outcome}");
}

fn a_first_run_says_that_pip_is_prepared_once() {
    let env = TestEnv::new();
    // A Python whose ensurepip is slow.
    let python = newest().executable.to_str().unwrap();
    let args = ["--seeder", "ensurepip", "-p", python, "env"];
    let version = newest().short_version();
    for &(option, once) in some(&[("--copies", " (once)"), ("--no-cache", "")], 1) {
        env.reset();
        let args = [&[option], &args[..]].concat();
        let outcome = in_a_shell_on_a_terminal(&env, "/bin/sh", &args, &[]);
        outcome.expect_code(0);
        let said = format!(" Preparing pip for Python {version}{once} (");
        assert!(outcome.stdout.contains(&said), "{outcome}");
        assert_eq!(
            outcome.stdout.contains("(once)"),
            !once.is_empty(),
            "{outcome}"
        );
    }
}

fn the_first_run_ends_with_how_to_activate_in_the_shell_one_is_in() {
    let env = TestEnv::new();
    let python = newest().executable.to_str().unwrap();
    let args = ["--without-pip", "-p", python, "it's here"];
    for (shell, command) in [("/bin/bash", "source "), ("/bin/sh", ". ")] {
        env.reset();
        let cache = env.root().join(shell.replace('/', "-"));
        let vars = [("RVENV_CACHE_DIR", cache.to_str().unwrap())];
        let first = in_a_shell_on_a_terminal(&env, shell, &args, &vars);
        first.expect_code(0);
        let said = first.stdout.strip_prefix("activate it with: ");
        let activate = said.unwrap_or_else(|| panic!("{first}")).trim_end();
        assert!(activate.starts_with(command), "{first}");
        assert_eq!(activate.lines().count(), 1, "{first}");
        // The printed command works.
        let shows = format!("{activate} && printf %s \"$VIRTUAL_ENV\"");
        env.run(shell, ["-c", &shows])
            .prints(env.at("it's here").to_str().unwrap());
        let later = in_a_shell_on_a_terminal(&env, shell, &args, &vars);
        later.expect_code(0);
        assert_eq!(later.stdout, "", "{later}");
    }
    // Not with these options, and not without a terminal. Without a cache every run would be the first.
    let cache = env.root().join("quiet");
    let vars = [("RVENV_CACHE_DIR", cache.to_str().unwrap())];
    for option in ["--quiet", "--no-cache"] {
        let args = [&[option], &args[..]].concat();
        let outcome = in_a_shell_on_a_terminal(&env, "/bin/bash", &args, &vars);
        assert_eq!(outcome.stdout, "", "{option}: {outcome}");
    }
    let cache = env.root().join("no terminal");
    env.rvenv(args).var("RVENV_CACHE_DIR", cache).succeeds();
}

fn an_error_follows_where_the_spinner_was() {
    let env = TestEnv::new();
    let python = env.root().join("python3");
    fs::write(&python, "#!/bin/sh\nsleep 1\nexit 3\n").unwrap();
    fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let args = ["-p", python.to_str().unwrap(), "env"];
    let outcome = on_a_terminal(&env, &args, &[("NO_COLOR", "1")]);
    outcome.expect_code(1);
    assert!(outcome.stdout.contains("Querying Python"), "{outcome}");
    assert!(
        screen(&outcome.stdout)[0].starts_with("Error: "),
        "{outcome}"
    );
}

fn several_that_wait_show_one_spinner_and_errors_lines_of_their_own() {
    let env = TestEnv::new();
    let folder = env.root().join("slow");
    fs::create_dir(&folder).unwrap();
    // One fails while the other still waits.
    let backend = "import os, sys, time\n\
                   time.sleep(2 if os.environ['VIRTUAL_ENV'].endswith('a') else 5)\n\
                   sys.exit('no package')\n";
    fs::write(folder.join("backend.py"), backend).unwrap();
    let text = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";
    fs::write(folder.join("pyproject.toml"), text).unwrap();
    let python = newest().executable.to_str().unwrap();
    let with = ["-p", python, "--with", folder.to_str().unwrap()];
    let args = [&with[..], &["a", "b"]].concat();
    let vars = [("NO_COLOR", "1"), ("PIP_NO_INDEX", "1")];
    let outcome = on_a_terminal(&env, &args, &vars);
    outcome.expect_code(1);
    let parts: Vec<_> = outcome.stdout.split('\r').collect();
    let frame = |part: &str| part.chars().next().filter(|_| part.ends_with(" s)"));
    let pairs = parts.windows(2);
    let pairs: Vec<_> = pairs
        .filter_map(|pair| Some(String::from_iter([frame(pair[0])?, frame(pair[1])?])))
        .collect();
    assert!(pairs.len() > 10, "{outcome}");
    // Two progress displays would mix their output.
    assert!(
        pairs.iter().all(|pair| "|/-\\|".contains(pair)),
        "{outcome}"
    );
    let lines = screen(&outcome.stdout);
    let errors = lines.iter().filter(|line| line.starts_with("Error: "));
    assert_eq!(errors.count(), 2, "{outcome}");
    let is_left = |line: &String| line.contains("Installing requirements");
    assert!(!lines.iter().any(is_left), "{outcome}");
}

fn pips_progress_is_shown_to_a_person_only() {
    let env = TestEnv::new();
    let folder = env.root().join("wheels");
    let wheel = write_wheel(&env, &folder, "one", "1.0");
    let python = newest().executable.to_str().unwrap();
    let args = ["-p", python, "--with", wheel.to_str().unwrap(), "env"];
    let vars = [("PIP_NO_INDEX", "1")];
    let outcome = on_a_terminal(&env, &args, &vars);
    outcome.expect_code(0);
    assert!(
        outcome.stdout.contains("Successfully installed"),
        "{outcome}"
    );
    for flag in ["-q", "--json"] {
        env.reset();
        let outcome = on_a_terminal(&env, &[&[flag], &args[..]].concat(), &vars);
        outcome.expect_code(0);
        assert!(!outcome.stdout.contains("Successfully"), "{outcome}");
    }
}

fn verbose_ends_with_a_summary() {
    let env = TestEnv::new();
    let outcome = env
        .rvenv_for(newest(), ["-v", "env"])
        .shared_cache()
        .outcome();
    outcome.expect_code(0);
    let last = outcome.stderr.lines().last().unwrap();
    let start = format!("created {} in ", env.at("env").display());
    assert!(last.starts_with(&start), "{outcome}");
    let version = newest().version;
    let version = format!("{}.{}.{}", version.0, version.1, version.2);
    assert!(
        last.contains(&format!(" ms: cpython {version}, pip ")),
        "{outcome}"
    );
}

fn a_different_version_in_python_version_is_reported() {
    let env = TestEnv::new();
    let python = newest().executable.to_str().unwrap();
    let args = ["-p", python, "--without-pip", "--clear", "a", "b"];
    let own = newest().short_version();
    for (text, notes) in [
        ("3.5\n", 1),
        ("# ours\n3.5\npypy3.5\n", 1),
        (own.as_str(), 0),
        ("my-environment\n", 0),
        ("", 0),
    ] {
        fs::write(env.at(".python-version"), text).unwrap();
        let outcome = on_a_terminal(&env, &args, &[]);
        outcome.expect_code(0);
        let said = outcome.stdout.matches(".python-version asks for 3.5");
        assert_eq!(said.count(), notes, "{text:?}: {outcome}");
        env.rvenv(args).succeeds();
    }
    fs::write(env.at(".python-version"), "3.5").unwrap();
    let quiet = [&["-q"], &args[..]].concat();
    assert_eq!(on_a_terminal(&env, &quiet, &[]).stdout, "");
}
