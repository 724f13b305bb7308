//! Tests with the sources of several pips.

use crate::installed::entry_points;
use crate::installed::scripts::template::{Names, ScriptTemplates};

const NAMES: &str = r#"sorted(outrows); re.match(r"pip(\d+(\.\d+)?)?$", k)"#;
const TEXT: &str = "import sys\nfrom %(module)s import %(import_name)s\nsys.exit(%(func)s())\n";

fn distlib(text: &str) -> String {
    format!("x = 1\nSCRIPT_TEMPLATE = r'''{text}'''\n")
}

fn scripts(templates: &ScriptTemplates, points: &str, names: Names) -> Vec<String> {
    let points = entry_points::read(points).unwrap();
    let scripts = templates.scripts(points, [3, 13, 0], names);
    scripts.into_iter().map(|point| point.name).collect()
}

#[test]
fn the_template_is_that_of_distlib_unless_pip_has_one() {
    let templates = ScriptTemplates::read(NAMES, &distlib(TEXT)).unwrap();
    assert_eq!(templates.template, TEXT);
    let dos = distlib(TEXT).replace('\n', "\r\n");
    assert_eq!(ScriptTemplates::read(NAMES, &dos).unwrap(), templates);
    let own = TEXT.replace("sys.exit", "exit");
    let raw = format!("{NAMES}\n    maker.script_template = r\"\"\"{own}\"\"\"\n");
    assert_eq!(
        ScriptTemplates::read(&raw, &distlib(TEXT))
            .unwrap()
            .template,
        own
    );
    for opening in ["", "\n        "] {
        let indented = own.replace('\n', "\n        ");
        let dedented = format!(
            "{NAMES}\n script_template = textwrap.dedent({opening}\"\"\"\\\n        {indented}\"\"\")\n"
        );
        let templates = ScriptTemplates::read(&dedented, &distlib(TEXT)).unwrap();
        assert_eq!(templates.template, own, "{dedented}");
    }
}

#[test]
fn an_unknown_script_template_of_pip_is_an_error() {
    let refused = |module: &str, distlib: &str| ScriptTemplates::read(module, distlib).unwrap_err();
    assert!(refused(NAMES, "").contains("was not found"));
    let computed = format!("{NAMES}\nscript_template = make_template()\n");
    assert!(refused(&computed, &distlib(TEXT)).contains("was not found"));
    assert!(refused(NAMES, &distlib("import sys\n")).contains("no %(module)s"));
    assert!(refused(NAMES, &distlib(&format!("{TEXT}%(name)s"))).contains("unknown placeholder"));
    assert!(refused("", &distlib(TEXT)).contains("script names"));
    let unsorted = NAMES.replace("sorted", "");
    assert!(refused(&unsorted, &distlib(TEXT)).contains("random order"));
}

#[test]
fn a_script_imports_the_first_part_of_its_function() {
    let templates = ScriptTemplates::read(NAMES, &distlib(TEXT)).unwrap();
    let point = entry_points::read("[console_scripts]\nx = a.b:C.run [extra]").unwrap();
    let body = "import sys\nfrom a.b import C\nsys.exit(C.run())\n";
    assert_eq!(templates.body(&point[0]), body);
    let old = distlib(TEXT) + "script_bytes = shebang + linesep + script_bytes";
    let old = ScriptTemplates::read(NAMES, &old).unwrap();
    assert_eq!(old.body(&point[0]), format!("\n{body}"));
}

#[test]
fn versioned_names_have_the_version_of_the_running_python() {
    let new = ScriptTemplates::read(NAMES, &distlib(TEXT)).unwrap();
    let points = "[console_scripts]\npip3.10 = a:b\npip=a:b\npip3=a:b\npip-x = a:b\n\
                  easy_install = a:b\neasy_install-3.7 = a:b\n[gui_scripts]\nw = a:b\n";
    let rest = ["easy_install", "easy_install-3.13", "pip-x", "w"];
    assert_eq!(
        scripts(&new, points, Names::All),
        [&["pip", "pip3", "pip3.13"], &rest[..]].concat()
    );
    assert_eq!(
        scripts(&new, points, Names::Versioned),
        [&["pip3", "pip3.13"], &rest[1..]].concat()
    );
    assert_eq!(
        scripts(&new, points, Names::Alternative),
        [&["pip3.13"], &rest[1..]].concat()
    );
    // pip before 23.0 did not recognize versions with two digits.
    let old = ScriptTemplates::read(r"sorted(outrows) pip(\d(\.\d)?)?$", &distlib(TEXT)).unwrap();
    assert!(scripts(&old, points, Names::All).contains(&"pip3.10".to_owned()));
    assert!(!scripts(&new, "[console_scripts]\nfoo = a:b", Names::All).contains(&"pip".to_owned()));
}
