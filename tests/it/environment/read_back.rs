//! Random contents: Python reads what rvenv writes. `pyvenv.cfg` is read by site.py, `RECORD` by csv, and bytecode by
//! marshal.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fs_err as fs;
use proptest::{
    bool,
    collection::vec,
    num::i64,
    option, prop_oneof,
    sample::select,
    strategy::{Just, Strategy},
};
use serde_json::{Value, from_slice, json, to_writer};

use crate::{
    env::TestEnv,
    harness::whole,
    interpreters::{Interpreter, each_newest_quick},
    random,
};

crate::harness::trials! {
    site_reads_every_value_of_pyvenv_cfg(each_newest_quick, part),
    csv_reads_every_row_of_record(each_newest_quick, part),
    marshal_reads_the_bytecode_of_a_moved_environment(each_newest_quick, part),
    marshal_reads_the_bytecode_of_pip(each_newest_quick, part),
}

/// Calls a function of `read_back.py`, which uses only the standard library.
fn ask(python: &Interpreter, function: &str, arguments: &Value) -> Value {
    let mut child = Command::new(&python.executable)
        .args(["-I", "-S", "-W", "ignore", "-c"])
        .arg(include_str!("read_back.py"))
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = json!({ "call": function, "arguments": arguments });
    to_writer(child.stdin.take().unwrap(), &request).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{function} of read_back.py failed");
    from_slice(&output.stdout).unwrap()
}

/// How many values are tried.
fn some(all: usize) -> usize {
    if whole() { all } else { all / 5 }
}

/// Removes characters that `home` cannot contain: rvenv escapes them, and venv would start another line.
fn without_line_breaks(name: &str) -> String {
    let is_break = |c: char| c.is_control() || "\u{2028}\u{2029}".contains(c);
    name.chars().filter(|c| !is_break(*c)).collect()
}

fn site_reads_every_value_of_pyvenv_cfg(python: &'static Interpreter) {
    let env = TestEnv::new();
    let case = (
        random::name(),
        option::of(random::name()),
        random::name(),
        bool::ANY,
    );
    random::check(&case, some(40), |cases| {
        env.reset();
        let mut env_dirs = Vec::new();
        let mut expected = Vec::new();
        for (index, (name, prompt, base, system)) in cases.iter().enumerate() {
            // Only a few different bases, as each of them is another Python for rvenv.
            let base = env.at("bases").join(without_line_breaks(base) + "x");
            let base = match expected.len() % 10 {
                0 => base,
                _ => expected
                    .last()
                    .map(|(base, ..): &(PathBuf, _, _)| base.clone())
                    .unwrap(),
            };
            let link = base.join(python.executable.file_name().unwrap());
            if !base.exists() {
                fs::create_dir_all(&base).unwrap();
                symlink(&python.executable, &link).unwrap();
            }
            let env_dir = env.at("envs").join(format!("{name}{index}"));
            let env_dir = env_dir.to_str().unwrap().to_owned();
            let prompt_option = prompt.as_ref().map(|prompt| format!("--prompt={prompt}"));
            let system_option = system.then_some("--system-site-packages");
            let args = ["--without-pip", "-p", link.to_str().unwrap()];
            let args = args.into_iter().chain(system_option);
            let args = args.chain(prompt_option.as_deref()).chain(["--", &env_dir]);
            env.rvenv(args).succeeds();
            env_dirs.push(env_dir);
            expected.push((base, prompt.clone(), *system));
        }
        let answers = ask(python, "configuration", &json!([env_dirs]));
        for ((env_dir, (base, prompt, system)), answer) in env_dirs
            .iter()
            .zip(expected)
            .zip(answers.as_array().unwrap())
        {
            let prompt = prompt.filter(|_| python.at_least(8));
            let base = base.to_str().unwrap();
            let keys = ["home", "include-system-site-packages", "version"];
            let keys = keys.into_iter().chain(prompt.as_ref().map(|_| "prompt"));
            let (later, own) = (
                ["executable", "command"],
                ["version_info", "python-version", "rvenv"],
            );
            let later = later.into_iter().filter(|_| python.at_least(11));
            let keys: Vec<_> = keys.chain(later).chain(own).collect();
            let pairs = answer["pairs"].as_array().unwrap();
            let found: Vec<_> = pairs.iter().map(|pair| pair[0].as_str().unwrap()).collect();
            assert_eq!(found, keys, "{answer}");
            assert_eq!(pairs[0][1], base, "{answer}");
            assert_eq!(pairs[1][1], system.to_string(), "{answer}");
            assert_eq!(answer["home"], base, "{answer}");
            assert_eq!(answer["prefix"], *env_dir, "{answer}");
            assert_eq!(answer["prompt"], json!(prompt), "{answer}");
        }
    });
}

/// The site-packages of an environment.
fn site_packages(env_dir: &Path, python: &Interpreter) -> PathBuf {
    env_dir.join(format!("lib/{}/site-packages", python.python_folder()))
}

fn csv_reads_every_row_of_record(python: &'static Interpreter) {
    let env = TestEnv::new();
    random::check(&random::name(), some(100), |names| {
        env.reset();
        let (old, new) = (env.at("old"), env.at("new"));
        env.rvenv_for(python, ["--without-pip", "old"]).succeeds();
        let script = format!("#!{}/bin/python\n", old.display());
        fs::write(old.join("bin/tool"), script).unwrap();
        let info = site_packages(&old, python).join("one-1.0.dist-info");
        fs::create_dir(&info).unwrap();
        fs::write(info.join("METADATA"), "Name: one\nVersion: 1.0\n").unwrap();
        let mut rows: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                (
                    format!("one/{name}{index}"),
                    format!("sha256={name}"),
                    index,
                )
            })
            .map(|(path, hash, size)| [path, hash, size.to_string()])
            .collect();
        rows.push(["../../../bin/tool", "sha256=x", "1"].map(str::to_owned));
        rows.push(["one-1.0.dist-info/RECORD", "", ""].map(str::to_owned));
        ask(python, "write_record", &json!([info.join("RECORD"), rows]));

        // The script is repaired, so its row differs.
        fs::rename(&old, &new).unwrap();
        env.rvenv(["--upgrade", "--without-pip", "new"]).succeeds();
        let record = site_packages(&new, python).join("one-1.0.dist-info/RECORD");
        let answer = ask(python, "read_record", &json!([record]));
        assert_eq!(
            answer["same"],
            true,
            "{}",
            fs::read_to_string(&record).unwrap()
        );
        let mut found: Vec<[String; 3]> = serde_json::from_value(answer["rows"].clone()).unwrap();
        let script = fs::read(new.join("bin/tool")).unwrap();
        let row = found.iter_mut().find(|row| row[0] == "../../../bin/tool");
        let row = row.unwrap();
        assert_eq!(row[2], script.len().to_string());
        *row = ["../../../bin/tool", "sha256=x", "1"].map(str::to_owned);
        rows.sort();
        assert_eq!(found, rows);
    });
}

/// A literal of Python.
fn literal(text: &str) -> String {
    let characters = text.chars().map(|c| match c {
        'a'..='z' | 'A'..='Z' | ' ' | '/' => c.to_string(),
        _ => format!("\\U{:08x}", u32::from(c)),
    });
    format!("'{}'", characters.collect::<String>())
}

/// The path of the environment before it is moved, which is independent of the module.
const OLD: &str = "'OLD/share'";

fn expression() -> impl Strategy<Value = String> + Clone {
    let constants = [
        "None",
        "True",
        "...",
        "1.5",
        "-0.0",
        "1e300",
        "2j",
        "b'\\xff\\0'",
        "''",
        "'\\ud800'",
        "a",
        "é",
        OLD,
    ];
    let leaf = prop_oneof![
        select(constants.to_vec()).prop_map(str::to_owned),
        i64::ANY.prop_map(|number| format!("{number}0123456789")),
        random::name().prop_map(|text| literal(&text)),
        (0..600_usize).prop_map(|length| literal(&"long".repeat(length))),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let list = vec(inner.clone(), 1..4).prop_map(|items| items.join(", "));
        prop_oneof![
            list.clone().prop_map(|items| format!("({items},)")),
            list.clone().prop_map(|items| format!("[{items}]")),
            list.prop_map(|items| format!("(a in {{{items}}})")),
            inner
                .clone()
                .prop_map(|one| format!("(lambda a, é={one}: {one})")),
            inner
                .clone()
                .prop_map(|one| format!("[{one} for a in {one}]")),
            (inner.clone(), inner).prop_map(|(one, other)| format!("({one} if {other} else a)")),
        ]
    })
}

/// A module that can be compiled. It is never executed.
fn module() -> impl Strategy<Value = String> {
    let one = expression();
    let statement = prop_oneof![
        one.clone().prop_map(|one| format!("a = {one}\n")),
        one.clone().prop_map(|one| format!("print({one})\n")),
        (one.clone(), one.clone()).prop_map(|(one, other)| {
            format!("def é(a, *b, c={one}, **d):\n    print({other})\n    def a(): return {one}\n    return {other}\n")
        }),
        (one.clone(), one).prop_map(|(one, other)| {
            format!("class A:\n    a = {one}\n    def a(self):\n        '''A method.'''\n        yield {other}\n")
        }),
    ];
    vec(statement, 0..5).prop_map(|statements| statements.concat())
}

/// Directories, some of them too long for the short form of strings in marshal.
fn directory() -> impl Strategy<Value = PathBuf> {
    let long = prop_oneof![Just(0_usize), 0..255_usize];
    (random::name(), long)
        .prop_map(|(name, long)| Path::new(&(name + "x")).join("n".repeat(long)).join("env"))
}

fn marshal_reads_the_bytecode_of_a_moved_environment(python: &'static Interpreter) {
    let env = TestEnv::new();
    let case = (directory(), directory(), vec(module(), 1..20));
    random::check(&case, some(10), |cases| {
        env.reset();
        let mut roots = Vec::new();
        for (index, (old, new, modules)) in cases.iter().enumerate() {
            let old = env.at(format!("old{index}")).join(old);
            let new = env.at(format!("new{index}")).join(new);
            let args = ["--without-pip", "--", old.to_str().unwrap()];
            env.rvenv_for(python, args).succeeds();
            let packages = site_packages(&old, python);
            for (index, module) in modules.iter().enumerate() {
                let text = module.replace("OLD", literal(old.to_str().unwrap()).trim_matches('\''));
                fs::write(packages.join(format!("é{index}.py")), text).unwrap();
            }
            let compile = ["-I", "-S", "-W", "ignore", "-m", "compileall", "-q"];
            let compile = compile.into_iter().chain([packages.to_str().unwrap()]);
            env.run(&python.executable, compile).succeeds();
            fs::create_dir_all(new.parent().unwrap()).unwrap();
            fs::rename(&old, &new).unwrap();
            // There is a warning about sources that contain the old path.
            let upgrade = env.rvenv(["--upgrade", "--without-pip", "--", new.to_str().unwrap()]);
            upgrade.outcome().expect_code(0);
            roots.push(site_packages(&new, python));
        }
        let count: usize = cases.iter().map(|(.., modules)| modules.len()).sum();
        let answer = ask(python, "bytecode", &json!([roots, 1 << 20]));
        assert_eq!(answer, json!({ "count": count, "wrong": [] }));
    });
}

fn marshal_reads_the_bytecode_of_pip(python: &'static Interpreter) {
    let env = TestEnv::new();
    random::check(&directory(), some(10), |directories| {
        env.reset();
        let mut roots = Vec::new();
        for (index, directory) in directories.iter().enumerate() {
            let mut env_dir = env.at(index.to_string()).join(directory);
            if python.implementation == "pypy" {
                // Its ensurepip creates the image next to the environment. Debian's pip expands variables in that path.
                env_dir = env_dir.to_str().unwrap().replace('$', "").into();
            }
            let run = env.rvenv_for(python, ["--".as_ref(), env_dir.as_os_str()]);
            run.shared_cache().succeeds();
            roots.push(site_packages(&env_dir, python));
        }
        let answer = ask(python, "bytecode", &json!([roots, 2000]));
        assert_eq!(answer["wrong"], json!([]));
        let count = answer["count"].as_u64().unwrap();
        assert!(count > 100 * directories.len() as u64, "{count}");
    });
}
