//! The oracle with pip: it is as that Python's ensurepip installs it, by both ways in which rvenv can install it, with an
//! empty cache and a full one.
//!
//! Creating a reference with pip takes seconds, so there is one per Python, for several runs.

use crate::{
    env::TestEnv,
    harness::whole,
    interpreters::{
        Interpreter, a_few, a_few_full, each_full, each_newest_quick, each_with_pip, newest,
    },
    oracle::{Oracle, Verdict, all_agree, write},
    wheel,
};

crate::harness::trials! {
    pip_is_what_ensurepip_leaves(each_with_pip, part),
    pip_under_another_umask_with_all_flags_below_a_path_too_long_for_a_shebang(each_full),
    pip_below_a_path_with_spaces(a_few_full),
    pip_without_a_cache(a_few_full),
    the_longest_shebang_and_one_longer(full),
    pip_carries_the_invoked_name_in_its_shebang(a_few_full),
    a_second_run_leaves_pip_as_it_is(each_newest_quick),
    an_upgrade_leaves_pip_as_it_is(a_few_full),
    pip_is_added_to_a_bare_environment(a_few_full),
    clear_installs_pip_again(a_few_full),
    an_older_pip_is_replaced(a_few_full),
    a_newer_pip_is_kept(a_few_full),
    several_env_dirs_have_pip_each(a_few_full),
    a_file_that_pip_would_write_is_replaced(a_few),
    altinstall_is_honoured(a_few_full),
    bytecode_is_checked_by_hash_under_source_date_epoch(a_few_full),
    bytecode_is_optimized_where_python_says_so(a_few_full),
    bytecode_goes_to_a_cache_prefix_where_python_says_so(a_few_full),
    bytecode_is_written_even_where_python_should_not(a_few_full),
    pips_own_settings_do_not_reach_ensurepip(a_few_full),
}

/// Checks a case with an empty cache, with the filled one, and with the other way to install pip.
fn by_every_way<'a>(case: impl Fn() -> Oracle<'a>) -> Vec<Verdict> {
    let reference = match case().reference() {
        Ok(reference) => reference,
        Err(account) => return vec![Err(account)],
    };
    let by_seeder = |seeder: &str| {
        case()
            .var("RVENV_SEEDER", seeder)
            .var("RVENV_CACHE_DIR", case().cache(seeder))
            .verdict_against(&reference)
    };
    let mut verdicts = vec![
        case().verdict_against(&reference),
        case().verdict_against(&reference),
        by_seeder("ensurepip"),
    ];
    // A distributor's ensurepip that installs more than the contents of its wheels cannot be replaced by the wheels.
    if whole() && !reference.has("env/share/python-wheels") {
        verdicts.push(by_seeder("wheel"));
    }
    verdicts
}

/// Checks a case once.
fn agrees(python: &'static Interpreter, case: impl for<'a> Fn(Oracle<'a>) -> Oracle<'a>) {
    let env = TestEnv::fixed();
    all_agree([case(env.oracle(python).shared_cache()).verdict()]);
}

fn pip_is_what_ensurepip_leaves(python: &'static Interpreter) {
    let env = TestEnv::fixed();
    all_agree(by_every_way(|| env.oracle(python).args(["env"])));
}

fn pip_under_another_umask_with_all_flags_below_a_path_too_long_for_a_shebang(
    python: &'static Interpreter,
) {
    let env = TestEnv::fixed();
    let links = if python.copies {
        "--copies"
    } else {
        "--symlinks"
    };
    let name = "ünlimited-".repeat(12);
    let flags = ["--system-site-packages", links, "--prompt=x"];
    let case = env.oracle(python).shared_cache().umask(0o077);
    all_agree(vec![case.args([&flags[..], &[&name]].concat()).verdict()]);
}

fn pip_below_a_path_with_spaces(python: &'static Interpreter) {
    agrees(python, |case| case.args(["a folder/with spaces"]));
}

fn pip_without_a_cache(python: &'static Interpreter) {
    agrees(python, |case| case.var("RVENV_NO_CACHE", "1").args(["env"]));
}

fn the_longest_shebang_and_one_longer() {
    let env = TestEnv::fixed();
    let python = newest();
    let name = python.executable.file_name().unwrap().len();
    // `#!` + path + newline may have 127 bytes.
    let room = 124 - env.work().as_os_str().len() - "//bin/".len() - name;
    all_agree([room, room + 1].map(|length| {
        let env_dir = "x".repeat(length);
        env.oracle(python).shared_cache().args([&env_dir]).verdict()
    }));
}

fn pip_carries_the_invoked_name_in_its_shebang(python: &'static Interpreter) {
    agrees(python, |case| {
        let version = python.short_version();
        let name = if python.implementation == "pypy" {
            "pypy3".into()
        } else {
            format!("python{version}")
        };
        let path = python.executable.with_file_name(name);
        case.invoked_as(path).umask(0o002).args(["env"])
    });
}

fn a_second_run_leaves_pip_as_it_is(python: &'static Interpreter) {
    let env = TestEnv::fixed();
    let case = env.oracle(python).shared_cache();
    all_agree(vec![case.args(["env"]).args(["env"]).verdict()]);
}

fn an_upgrade_leaves_pip_as_it_is(python: &'static Interpreter) {
    let upgrade = ["--upgrade", "--system-site-packages", "env"];
    agrees(python, |case| case.args(["env"]).args(upgrade));
}

fn pip_is_added_to_a_bare_environment(python: &'static Interpreter) {
    agrees(python, |case| {
        case.args(["--without-pip", "env"]).args(["env"])
    });
}

fn clear_installs_pip_again(python: &'static Interpreter) {
    agrees(python, |case| case.args(["env"]).args(["--clear", "env"]));
}

fn an_older_pip_is_replaced(python: &'static Interpreter) {
    agrees(python, |case| {
        let folder = python.python_folder();
        case.before(move |env| {
            let site_packages = env.at(format!("env/lib/{folder}/site-packages"));
            wheel::write_installed(&site_packages, "pip", "1.0");
            wheel::write_installed(&site_packages, "other", "1.0");
        })
        .args(["env"])
    });
}

fn a_newer_pip_is_kept(python: &'static Interpreter) {
    agrees(python, |case| {
        let folder = python.python_folder();
        case.before(move |env| {
            let site_packages = env.at(format!("env/lib/{folder}/site-packages"));
            wheel::write_installed(&site_packages, "pip", "999.0");
        })
        .args(["env"])
    });
}

fn several_env_dirs_have_pip_each(python: &'static Interpreter) {
    agrees(python, |case| case.args(["a", "b/c"]));
}

fn a_file_that_pip_would_write_is_replaced(python: &'static Interpreter) {
    agrees(python, |case| {
        let folder = python.python_folder();
        case.before(move |env| {
            write(env, "env/bin/pip", "mine\n");
            write(env, "env/bin/mine", "mine\n");
            let pip = format!("env/lib/{folder}/site-packages/pip");
            write(env, format!("{pip}/mine.py"), "mine = 1\n");
        })
        .args(["env"])
    });
}

fn altinstall_is_honoured(python: &'static Interpreter) {
    agrees(python, |case| {
        case.var("ENSUREPIP_OPTIONS", "altinstall").args(["env"])
    });
}

fn bytecode_is_checked_by_hash_under_source_date_epoch(python: &'static Interpreter) {
    agrees(python, |case| {
        case.var("SOURCE_DATE_EPOCH", "1000000000").args(["env"])
    });
}

fn bytecode_is_optimized_where_python_says_so(python: &'static Interpreter) {
    agrees(python, |case| case.var("PYTHONOPTIMIZE", "1").args(["env"]));
}

fn bytecode_goes_to_a_cache_prefix_where_python_says_so(python: &'static Interpreter) {
    let env = TestEnv::fixed();
    let case = env.oracle(python);
    let case = case.var("PYTHONPYCACHEPREFIX", env.root().join("pycache"));
    all_agree([case.args(["env"]).verdict()]);
}

fn bytecode_is_written_even_where_python_should_not(python: &'static Interpreter) {
    agrees(python, |case| {
        case.var("PYTHONDONTWRITEBYTECODE", "1").args(["env"])
    });
}

fn pips_own_settings_do_not_reach_ensurepip(python: &'static Interpreter) {
    agrees(python, |case| {
        case.before(|env| {
            let settings = "[global]\nno-compile = true\nprefix = /nowhere\n";
            write(env, "../home/.config/pip/pip.conf", settings);
        })
        .var("PIP_NO_COMPILE", "1")
        .var("PIP_TARGET", "/nowhere")
        .var("PIP_PREFIX", "/nowhere")
        .args(["env"])
    });
}
