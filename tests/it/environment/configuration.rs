//! Tools that read `pyvenv.cfg` get the right values. Its bytes are compared by the oracle.

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::{Interpreter, each, interpreters, newest},
    oracle::differences,
};

crate::harness::trials! {
    the_last_line_signs_it_once,
    the_versions_are_those_of_its_python(each),
    python_itself_reads_the_system_site_packages_setting(each),
    the_command_line_in_it_makes_the_same_environment,
    a_prompt_cannot_add_a_line,
}

fn the_last_line_signs_it_once() {
    let env = TestEnv::new();
    for flags in [&[][..], &[], &["--upgrade"], &["--clear"]] {
        let args = [&["--without-pip"], flags, &["env"]].concat();
        env.rvenv_for(newest(), args).succeeds();
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        assert!(text.ends_with(&differences::signature()), "{text}");
        assert_eq!(text.matches("rvenv = ").count(), 1, "{text}");
    }
}

fn the_versions_are_those_of_its_python(python: &'static Interpreter) {
    let env = TestEnv::new();
    env.rvenv_for(python, ["--without-pip", "env"]).succeeds();
    let script = "import sys; v = sys.version_info; \
                  print('version_info =', '.'.join(map(str, v))); print('python-version = %d.%d' % v[:2])";
    let said = env.run(env.at("env/bin/python"), ["-c", script]).stdout();
    let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
    assert!(
        text.ends_with(&(said + &differences::signature())),
        "{text}"
    );
}

fn python_itself_reads_the_system_site_packages_setting(python: &'static Interpreter) {
    let env = TestEnv::new();
    let script = "import site, sys; print(sys.prefix != sys.base_prefix, \
                  any(p.startswith(sys.base_prefix + '/') for p in site.getsitepackages()))";
    for (flags, seen) in [(&[][..], "False"), (&["--system-site-packages"], "True")] {
        env.reset();
        let args = [&["--without-pip"], flags, &["env"]].concat();
        env.rvenv_for(python, args).succeeds();
        env.run(env.at("env/bin/python"), ["-c", script])
            .prints(&format!("True {seen}\n"));
    }
}

fn the_command_line_in_it_makes_the_same_environment() {
    let env = TestEnv::new();
    for python in interpreters().iter().filter(|python| python.at_least(11)) {
        env.reset();
        let flags = [
            "--without-pip",
            "--system-site-packages",
            "--prompt=x",
            "env",
        ];
        env.rvenv_for(python, flags).succeeds();
        let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        let command = text
            .lines()
            .find_map(|line| line.strip_prefix("command = "));
        let command = command.unwrap().to_owned();
        env.reset();
        env.run("/bin/sh", ["-c", &command]).succeeds();
        let again = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
        let own = differences::own_lines(&again, &text);
        assert_eq!(again + &own, text);
    }
}

fn a_prompt_cannot_add_a_line() {
    let env = TestEnv::new();
    let prompt = "--prompt=x\ninclude-system-site-packages = true\nhome = /evil";
    env.rvenv_for(newest(), ["--without-pip", prompt, "env"])
        .succeeds();
    let script = "import sys; print(sys.base_prefix)";
    let base = env.run(&newest().executable, ["-c", script]).stdout();
    env.run(env.at("env/bin/python"), ["-c", script])
        .prints(&base);
    let text = fs::read_to_string(env.at("env/pyvenv.cfg")).unwrap();
    assert_eq!(text.matches("\nhome").count(), 0, "{text}");
    assert_eq!(text.matches("\ninclude-system").count(), 1, "{text}");
}
