//! `portal validate`, run as a program.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn validate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portal"))
        .arg("validate")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/catalog"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn good_descriptors_pass_in_silence() {
    let output = validate(&["good"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains(" 0 invalid"), "{}", text(&output.stderr));
}

#[test]
fn a_folder_may_hold_other_yaml_and_a_named_file_is_always_judged() {
    let sample = "../../../sample";
    let output = validate(&[sample]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let definition = format!("{sample}/systems/booking/booking-api/openapi.yaml");
    assert_eq!(validate(&[&definition]).status.code(), Some(1));
}

#[test]
fn globs_name_files_and_a_file_may_be_named_twice() {
    let output = validate(&["{good,broken}/multi-*.yaml", "good/multi-document.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let verdicts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(verdicts.as_array().unwrap().iter().all(|verdict| verdict["file"] == "good/multi-document.yaml"));
    assert_eq!(validate(&["**/*.yaml"]).status.code(), Some(1));
    let nothing = validate(&["**/no-such-*.yaml"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stderr).contains("matches no file"), "{}", text(&nothing.stderr));
}

#[test]
fn a_fault_is_one_line_with_its_place_and_a_hint() {
    let output = validate(&["broken/unknown-fields.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    assert!(
        printed.contains(
            "broken/unknown-fields.yaml:14:3: missing_field: `spec.lifecycle` is missing \
             (did you mean `lifecycle` instead of `lifecyle`?)\n"
        ),
        "{printed}"
    );
    assert!(printed.lines().all(|line| line.starts_with("broken/unknown-fields.yaml:")), "{printed}");
}

#[test]
fn json_lists_a_verdict_for_each_document() {
    let output = validate(&["broken/one-of-three.yaml", "good/multi-document.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let verdicts: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told: Vec<_> = verdicts
        .as_array()
        .unwrap()
        .iter()
        .map(|verdict| {
            (verdict["file"].as_str().unwrap(), verdict["document"].as_u64().unwrap(), verdict["valid"] == true)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("broken/one-of-three.yaml", 0, true),
            ("broken/one-of-three.yaml", 1, false),
            ("broken/one-of-three.yaml", 2, true),
            ("good/multi-document.yaml", 1, true),
            ("good/multi-document.yaml", 4, true),
        ]
    );
    let fault = &verdicts[1]["errors"][0];
    for field in ["line", "column", "pointer", "rule", "message", "hint"] {
        assert!(!fault[field].is_null(), "{field}: {fault}");
    }
}

#[test]
fn sarif_places_each_fault_under_its_rule() {
    let output = validate(&["broken", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert!(results.len() > 20);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].as_str().unwrap().starts_with("broken/"));
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
    }
}

#[test]
fn declared_kinds_join_the_built_in_ones() {
    let folder = std::env::temp_dir().join(format!("portal-validate-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let kinds =
        write("kinds", "kind: Queue\nplural: queues\napi_versions: [example.com/v1]\nschema: {required: [mode]}\n");
    let broken = write("broken-kinds", "kind: Queue\n");
    let head = "apiVersion: example.com/v1\nkind: Queue\nmetadata: {name: q}\n";
    let good = write("good.yaml", &format!("{head}spec: {{mode: fifo}}\n"));
    let bad = write("bad.yaml", &format!("{head}spec: {{}}\n"));
    assert_eq!(validate(&[&good]).status.code(), Some(1));
    assert_eq!(validate(&[&good, "--kinds", &kinds]).status.code(), Some(0));
    assert_eq!(validate(&[&bad, "--kinds", &kinds]).status.code(), Some(1));
    let refused = validate(&[&good, "--kinds", &broken]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains(":1:1: kind_definition: "), "{}", text(&refused.stderr));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn wrong_calls_exit_with_two() {
    for arguments in
        [&[][..], &["absent.yaml"], &["good", "--format", "xml"], &["good", "--kinds", "absent"], &["--nope"]]
    {
        let output = validate(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_template_that_cannot_run_is_told_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let template = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata:\n  name: service\nspec:\n  type: service\n  owner: team-a\n  steps:\n    - action: fetch:plain\n      input: {}\n    - action: debug:lg\n";
    std::fs::write(&path, template).unwrap();
    let output = validate(&[path.to_str().unwrap()]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("template.yaml:10:14: template_cannot_run: `fetch:plain` needs `url`\n"), "{printed}");
    assert!(
        printed.contains(
            "template.yaml:11:15: template_remark: the portal has no action `debug:lg`; is it `debug:log`?\n"
        ),
        "{printed}"
    );
    assert!(text(&output.stderr).contains("0 invalid, 1 templates that cannot run"));
}
