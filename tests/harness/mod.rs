//! The harness of the integration tests: lists the tests, selects those to run, and reports those that are skipped.
//!
//! A module lists its tests with `trials!`, and is listed in `main.rs`. The compiler warns of a test that is not listed, as it is dead
//! code:
//!
//! ```ignore
//! trials! {
//!     an_environment_is_made,             // fn an_environment_is_made()
//!     pip_is_what_ensurepip_leaves(each), // fn pip_is_what_ensurepip_leaves(python: &'static Interpreter), a trial for each
//!     every_moment(full),                 // fn every_moment(), in the full tier only
//!     every_name(part),                   // fn every_name(); the quick tier runs a part, as `some` and `whole` say
//!     a_warm_run_starts_nothing needs [STRACE], // a requirement of tests/it/needs.rs, after the kinds if there are any
//! }
//! ```
//!
//! The quick tier is the default; `RVENV_TEST_TIER=full` runs everything, and so does `-- --include-ignored`. If the machine
//! does not meet the needs of a test it is ignored, with the reason in the output and in the list of tests (as its kind); if `CI` is
//! set it fails. A requirement that only the test itself can check is reported with [`missing`], which `cargo nextest` counts as passed.

use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    cell::{Cell, RefCell},
    collections::BTreeMap,
    env,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    process::ExitCode,
    ptr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// The slowest tests are listed at the end: those that take at least this long, and at most this many.
const SLOW: Duration = Duration::from_secs(2);
const SHOWN: usize = 20;

/// Lists the tests of a module; see the head of this module.
macro_rules! trials {
    (@add $list:ident $name:ident) => {
        $list.add(stringify!($name), None, $name)
    };
    (@add $list:ident $name:ident full) => {
        $list.add(stringify!($name), $crate::harness::Skip::unless_full(), $name)
    };
    (@add $list:ident $name:ident part) => {
        $list.add_part(stringify!($name), $name)
    };
    (@add $list:ident $name:ident $cases:ident part) => {
        $list.add_each_part(stringify!($name), $cases(), $name)
    };
    (@add $list:ident $name:ident $cases:ident) => {
        $list.add_each(stringify!($name), $cases(), $name)
    };
    ($(
        $(#[$attribute:meta])*
        $name:ident $(($($kind:ident),+))? $(needs [$($need:ident),+])?
    ),* $(,)?) => {
        pub(crate) fn trials(list: &mut $crate::harness::Trials) {
            list.enter(module_path!());
            $($(#[$attribute])* {
                list.needs(&[$($(&$crate::needs::$need),+)?]);
                $crate::harness::trials!(@add list $name $($($kind)+)?);
            })*
        }
    };
}
pub(crate) use trials;

/// Whether to run all tests, not only the quick tier.
pub(crate) fn full() -> bool {
    static FULL: OnceLock<bool> = OnceLock::new();
    *FULL.get_or_init(|| match env::var("RVENV_TEST_TIER").as_deref() {
        Err(_) | Ok("" | "quick") => false,
        Ok("full") => true,
        Ok(other) => panic!("RVENV_TEST_TIER is quick or full, not {other:?}"),
    })
}

/// The cases of a test: all of them, or the first `quick` in the quick tier.
pub(crate) fn some<T>(all: &[T], quick: usize) -> &[T] {
    if whole() {
        all
    } else {
        &all[..quick.min(all.len())]
    }
}

/// Whether the calling test, which is listed with `part`, should run with all of its cases.
///
/// In the quick tier the whole test is listed as a separate ignored trial.
pub(crate) fn whole() -> bool {
    let name = trial();
    let part = PART.get();
    part.unwrap_or_else(|| panic!("{name} must be listed with `part`")) == Part::Whole
}

/// Whether a trial runs all cases of a test that is listed with `part`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Quick,
    Whole,
}

/// Whether the tests run in CI, where every requirement must be met.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// The name of the trial that this thread runs.
pub(crate) fn trial() -> String {
    TRIAL.with_borrow(Clone::clone)
}

/// Why a trial does not run.
#[derive(Clone, Debug)]
pub(crate) enum Skip {
    /// It belongs to the full tier.
    Tier,
    /// The machine lacks something that every CI machine must have.
    Missing(String),
    /// The machine lacks something that a CI machine may lack, too.
    Absent(String),
}

impl Skip {
    /// Skips a trial in the quick tier.
    pub(crate) fn unless_full() -> Option<Self> {
        (!full()).then_some(Self::Tier)
    }

    /// Ends the calling test.
    pub(crate) fn now(self) -> ! {
        panic::resume_unwind(Box::new(self))
    }

    fn reason(&self) -> String {
        match self {
            Self::Tier => "quick tier (RVENV_TEST_TIER=full runs it)".into(),
            Self::Missing(what) | Self::Absent(what) => what.clone(),
        }
    }
}

/// A requirement of a test that a machine may not meet.
pub(crate) struct Need {
    lack: fn() -> Option<Skip>,
    known: OnceLock<Option<Skip>>,
}

impl Need {
    /// A requirement. The function returns why the machine does not meet it. It must be quick, as it is called to list the tests.
    pub(crate) const fn new(lack: fn() -> Option<Skip>) -> Self {
        Self {
            lack,
            known: OnceLock::new(),
        }
    }

    /// Why the machine does not meet it.
    pub(crate) fn lack(&'static self) -> Option<Skip> {
        self.known.get_or_init(self.lack).clone()
    }

    /// Fails unless the calling test is listed with this requirement.
    #[track_caller]
    pub(crate) fn is_listed(&'static self) {
        let is_it = NEEDS.with_borrow(|needs| needs.iter().any(|need| ptr::eq(*need, self)));
        assert!(is_it, "{} must be listed with `needs`", trial());
    }
}

/// Ends the calling test, because a requirement is not met: it is ignored, or fails in CI.
pub(crate) fn missing(what: impl Into<String>) -> ! {
    Skip::Missing(what.into()).now()
}

/// One of the values that a test runs with.
pub(crate) struct Case<T> {
    /// The name of the trial after that of the test.
    pub(crate) label: String,
    pub(crate) value: T,
    pub(crate) skip: Option<Skip>,
}

/// The trials so far.
pub(crate) struct Trials {
    module: String,
    /// The requirements of the next tests.
    needs: Arc<[&'static Need]>,
    listed: Vec<Trial>,
    /// The only trial to run, if the command line names one. The others are not listed.
    only: Option<String>,
    /// Whether to show before the names of ignored trials why they are ignored.
    shows_reasons: bool,
    /// Whether to mark trials as ignored in advance, for `--list` and `--ignored`. Otherwise they report the reason when they run.
    marks: bool,
    skipped: Arc<Mutex<BTreeMap<String, usize>>>,
    times: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Trials {
    /// Starts a module with this `module_path!()`.
    pub(crate) fn enter(&mut self, path: &str) {
        self.module = path.split_once("::").map_or("", |(_, rest)| rest).into();
    }

    /// Sets the requirements of the next tests.
    pub(crate) fn needs(&mut self, needs: &[&'static Need]) {
        self.needs = needs.into();
    }

    /// Adds a test with one trial.
    pub(crate) fn add(&mut self, name: &str, skip: Option<Skip>, test: fn()) {
        self.push(format!("{}::{name}", self.module), skip, test);
    }

    /// Adds a test with a trial for each case.
    pub(crate) fn add_each<T: Send + 'static>(
        &mut self,
        name: &str,
        cases: impl IntoIterator<Item = Case<T>>,
        test: fn(T),
    ) {
        for Case { label, value, skip } in cases {
            let name = format!("{}::{name}::{label}", self.module);
            self.push(name, skip, move || test(value));
        }
    }

    /// Adds a test of which the quick tier runs a part.
    pub(crate) fn add_part(&mut self, name: &str, test: fn()) {
        let case = Case {
            label: String::new(),
            value: (),
            skip: None,
        };
        self.push_parts(&format!("{}::{name}", self.module), case, move |()| test());
    }

    /// Adds a test with a trial for each case, of which the quick tier runs a part.
    pub(crate) fn add_each_part<T: Copy + Send + 'static>(
        &mut self,
        name: &str,
        cases: impl IntoIterator<Item = Case<T>>,
        test: fn(T),
    ) {
        for case in cases {
            let name = format!("{}::{name}::{}", self.module, case.label);
            self.push_parts(&name, case, test);
        }
    }

    /// The full tier has the whole test only.
    fn push_parts<T: Copy + Send + 'static>(
        &mut self,
        name: &str,
        case: Case<T>,
        test: impl FnOnce(T) + Copy + Send + 'static,
    ) {
        let Case { value, skip, .. } = case;
        let run = move |part| {
            PART.set(Some(part));
            test(value);
        };
        if !full() {
            self.push(name.to_owned(), skip.clone(), move || run(Part::Quick));
        }
        let skip = skip.or_else(Skip::unless_full);
        self.push(format!("{name}::all"), skip, move || run(Part::Whole));
    }

    fn push(&mut self, name: String, skip: Option<Skip>, test: impl FnOnce() + Send + 'static) {
        // The name may be preceded by a reason.
        let is_it = |only: &String| only == &name || only.ends_with(&format!("] {name}"));
        if !self.only.as_ref().is_none_or(is_it) {
            return;
        }
        let needs = Arc::clone(&self.needs);
        let skip = skip.or_else(|| needs.iter().find_map(|need| need.lack()));
        let reason = skip.as_ref().map(Skip::reason);
        let skips = skip.is_some() && !(in_ci() && matches!(skip, Some(Skip::Missing(_))));
        let trial_name = name.clone();
        let (skipped, asked_for) = (Arc::clone(&self.skipped), self.marks);
        let times = Arc::clone(&self.times);
        let trial = Trial::ignorable_test(name, move || {
            let skip = match skip {
                // `--ignored` runs the tests of the full tier, but not those whose requirements are not met.
                Some(skip) if !(asked_for && matches!(skip, Skip::Tier)) => skip,
                _ => {
                    let started = Instant::now();
                    let result = caught(&trial_name, &needs, test);
                    let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
                    times.push((started.elapsed(), trial_name));
                    match result {
                        Ok(()) => return Ok(Completion::Completed),
                        Err(Ended::Skipped(skip)) => skip,
                        Err(Ended::Failed(message)) => return Err(message.into()),
                    }
                }
            };
            let reason = skip.reason();
            if in_ci() && matches!(skip, Skip::Missing(_)) {
                return Err(Failed::from(format!("missing in CI: {reason}")));
            }
            let mut skipped = skipped.lock().unwrap_or_else(PoisonError::into_inner);
            *skipped.entry(reason.clone()).or_default() += 1;
            Ok(Completion::ignored_with(reason))
        });
        let trial = trial.with_ignored_flag(self.marks && skips);
        let kind = reason.filter(|_| self.shows_reasons && skips);
        self.listed.push(trial.with_kind(kind.unwrap_or_default()));
    }
}

/// Runs the tests that the command line selects, and reports at the end what was skipped.
pub(crate) fn run(modules: &[fn(&mut Trials)], introduction: impl Fn() -> String) -> ExitCode {
    let arguments = Arguments::from_args();
    let (skipped, times) = (Arc::default(), Arc::<Mutex<Vec<_>>>::default());
    let mut list = Trials {
        module: String::new(),
        needs: Arc::default(),
        listed: Vec::new(),
        only: arguments.filter.clone().filter(|_| arguments.exact),
        // Otherwise they are shown after the names.
        shows_reasons: arguments.list || arguments.exact,
        marks: arguments.list || arguments.ignored || arguments.include_ignored,
        skipped: Arc::clone(&skipped),
        times: Arc::clone(&times),
    };
    for module in modules {
        module(&mut list);
    }
    panic::set_hook(Box::new(note));
    let quiet = arguments.list || arguments.exact;
    if !quiet {
        let tier = if full() { "full" } else { "quick" };
        println!("\n{tier} tier (RVENV_TEST_TIER is quick or full)");
        println!("{}", introduction());
    }
    let conclusion = libtest_mimic::run(&arguments, list.listed);
    let skipped = skipped.lock().unwrap_or_else(PoisonError::into_inner);
    if !quiet {
        println!("{} skipped", skipped.values().sum::<usize>());
        for (reason, count) in skipped.iter() {
            println!("{count:6}: {reason}");
        }
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        times.sort_unstable_by(|one, other| other.cmp(one));
        let slow = times.iter().filter(|(time, _)| *time >= SLOW);
        for (time, name) in slow.take(SHOWN) {
            println!("{:6.1} s: {name}", time.as_secs_f64());
        }
    }
    conclusion.exit_code()
}

/// How a test ended if it did not pass.
enum Ended {
    Skipped(Skip),
    Failed(String),
}

thread_local! {
    /// Whether this thread runs a test.
    static TESTS: Cell<bool> = const { Cell::new(false) };
    /// The name of the trial that this thread runs.
    static TRIAL: RefCell<String> = const { RefCell::new(String::new()) };
    /// The requirements of the test that this thread runs.
    static NEEDS: RefCell<Arc<[&'static Need]>> = RefCell::default();
    /// How much of its test this thread runs.
    static PART: Cell<Option<Part>> = const { Cell::new(None) };
    /// The message of the last panic.
    static NOTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a test to its end.
fn caught(name: &str, needs: &Arc<[&'static Need]>, test: impl FnOnce()) -> Result<(), Ended> {
    TRIAL.set(name.to_owned());
    NEEDS.set(Arc::clone(needs));
    PART.set(None);
    TESTS.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(test));
    TESTS.set(false);
    result.map_err(
        |payload: Box<dyn Any + Send>| match payload.downcast::<Skip>() {
            Ok(skip) => Ended::Skipped(*skip),
            Err(_) => Ended::Failed(NOTED.take()),
        },
    )
}

/// Stores the message of a test's panic for the list of failures. Panics of other threads are printed at once.
fn note(info: &PanicHookInfo<'_>) {
    let mut text = info.to_string();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        text = format!("{text}\n{backtrace}");
    }
    if TESTS.get() {
        NOTED.set(text);
    } else {
        eprintln!("{text}");
    }
}
