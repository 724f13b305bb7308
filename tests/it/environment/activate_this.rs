//! `activate_this.py` makes the packages of the environment available in a running Python.

use fs_err as fs;

use crate::{
    env::TestEnv,
    interpreters::{Interpreter, each, newest},
};

crate::harness::trials! {
    its_packages_come_first_in_every_python(each),
    it_says_how_to_use_it,
    it_is_for_one_python_only,
}

/// A prompt with characters that are special in Python strings.
const PROMPT: &str = "it's \\ \"x\" {{ PROMPT }} é\n";

/// Makes `env` with a module in it, and a `.pth` file that adds `extra`.
fn made(env: &TestEnv, python: &Interpreter) {
    env.rvenv_for(
        python,
        ["--without-pip", &format!("--prompt={PROMPT}"), "env"],
    )
    .succeeds();
    let packages = env
        .at("env/lib")
        .join(python.python_folder())
        .join("site-packages");
    fs::write(packages.join("only_here.py"), "").unwrap();
    fs::write(
        packages.join("extra.pth"),
        format!("{}\n", env.at("extra").display()),
    )
    .unwrap();
    fs::create_dir(env.at("extra")).unwrap();
}

fn its_packages_come_first_in_every_python(python: &'static Interpreter) {
    let env = TestEnv::new();
    made(&env, python);
    let script = "import os, runpy, sys\n\
                  before = list(sys.path)\n\
                  runpy.run_path('env/bin/activate_this.py')\n\
                  import only_here\n\
                  here = os.path.abspath('env')\n\
                  assert os.environ['PATH'] == os.path.join(here, 'bin') + ':/usr/bin', os.environ['PATH']\n\
                  assert os.environ['VIRTUAL_ENV'] == here\n\
                  assert os.environ['VIRTUAL_ENV_PROMPT'] == os.environ['PROMPT']\n\
                  assert 'PYTHONHOME' not in os.environ\n\
                  assert sys.prefix == here\n\
                  assert sys.path[0] == os.path.dirname(only_here.__file__), sys.path\n\
                  assert sys.path[1] == os.path.abspath('extra'), sys.path\n\
                  assert sys.path[2:] == before, sys.path";
    env.run(&python.executable, ["-c", script])
        .var("PATH", "/usr/bin")
        .var("PROMPT", PROMPT)
        .succeeds();
}

fn it_says_how_to_use_it() {
    let env = TestEnv::new();
    made(&env, newest());
    let python = &newest().executable;
    env.run(python, ["env/bin/activate_this.py"])
        .fails(1, &["in that process: import runpy; runpy.run_path("]);
    let unplaced = "exec(open('env/bin/activate_this.py').read(), {'__file__': 'elsewhere.py', '__name__': 'x'})";
    env.run(python, ["-c", unplaced])
        .fails(1, &["RuntimeError: activate_this.py needs its own path"]);
}

fn it_is_for_one_python_only() {
    let env = TestEnv::new();
    made(&env, newest());
    fs::rename(env.at("env/lib"), env.at("env/other")).unwrap();
    let script = "import runpy; runpy.run_path('env/bin/activate_this.py')";
    env.run(&newest().executable, ["-c", script])
        .fails(1, &["is for another Python than this 3."]);
}
