//! What surrounds a run: devices, pipes, links, modes, full disks, closed and full standard output, hostile files.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wickring::io::npy;

/// A folder of its own for one test, removed at the end.
pub struct Folder(PathBuf);

/// How a run ended.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wickring-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn array(&self, name: &str, shape: &[usize], data: &[f64]) {
        std::fs::write(self.path(name), npy::encode(shape, false, data)).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wickring"));
        command.current_dir(&self.0).args(args).stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Run {
        ended(self.command(args))
    }

    pub fn left_over(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.0).unwrap();
        let names = names.map(|e| e.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|n| n.ends_with(".part")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn ended(mut command: Command) -> Run {
    let run = command.output().unwrap();
    Run {
        code: run.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&run.stdout).into_owned(),
        err: String::from_utf8_lossy(&run.stderr).into_owned(),
    }
}

/// The generator of a seed.
pub fn rng(seed: u64) -> rand_chacha::ChaCha8Rng {
    rand_chacha::rand_core::SeedableRng::seed_from_u64(seed)
}

/// Through a shell, for redirections.
pub fn shell(at: &Folder, script: &str) -> Run {
    let mut command = Command::new("sh");
    command.current_dir(&at.0).arg("-c").arg(script);
    command.env("W", env!("CARGO_BIN_EXE_wickring"));
    ended(command)
}

fn model(at: &Folder) {
    std::fs::write(at.path("m.json"), super::writers::MODEL).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn devices_and_pipes_are_written_into_and_never_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let at = Folder::new("devices");
    model(&at);
    let run = at.run(&["sample", "m.json", "-n", "3", "--out", "/dev/null"]);
    assert_eq!(run.code, 2, "an ending tells the format: {}", run.err);
    let run = at.run(&["poly", "expand", "x+1", "--out", "/dev/null"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let null = std::fs::metadata("/dev/null").unwrap();
    assert!(null.file_type().is_char_device());
    // A pipe with an ending gets the rows, whole, and stays a pipe.
    let run = shell(
        &at,
        "mkfifo p.csv; cat p.csv > got & $W sample m.json -n 3 --out p.csv --quiet; code=$?; wait; test -p p.csv && exit $code",
    );
    assert_eq!(run.code, 0, "{}", run.err);
    let got = std::fs::read_to_string(at.path("got")).unwrap();
    assert_eq!(got.lines().count(), 3, "{got}");
    let run = shell(
        &at,
        "$W poly expand x+1 --out /dev/stdout --quiet | cat; echo",
    );
    assert_eq!(run.out.trim(), "x + 1");
    assert!(at.left_over().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_failing_standard_output_is_told_and_a_closed_pipe_is_not() {
    let at = Folder::new("stdout");
    for flags in ["", "--json", "--help"] {
        let run = shell(&at, &format!("$W poly expand x+1 {flags} > /dev/full"));
        assert_eq!(run.code, 2, "{flags}: {}", run.err);
        assert!(
            run.err.contains("standard output: cannot be written"),
            "{}",
            run.err
        );
        assert_eq!(run.err.trim_end().lines().count(), 1, "{}", run.err);
    }
    let run = shell(&at, "$W poly expand '(x+1)^400' 2> err | true; cat err");
    assert!(run.out.is_empty(), "{}", run.out);
}

#[cfg(unix)]
#[test]
fn links_modes_and_names_survive_an_overwrite() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let at = Folder::new("links");
    let write = |name: &Path| wickring::io::write_whole(&at.0.join(name), b"new");
    std::fs::write(at.path("real"), "old").unwrap();
    std::fs::set_permissions(at.path("real"), PermissionsExt::from_mode(0o600)).unwrap();
    symlink("real", at.path("link")).unwrap();
    write(Path::new("link")).unwrap();
    assert!(
        std::fs::symlink_metadata(at.path("link"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(std::fs::read(at.path("real")).unwrap(), b"new");
    assert_eq!(
        std::fs::metadata(at.path("real")).unwrap().mode() & 0o777,
        0o600
    );
    // Two names of one file stay two names of one file.
    std::fs::hard_link(at.path("real"), at.path("other")).unwrap();
    std::fs::write(at.path("real"), "old").unwrap();
    write(Path::new("other")).unwrap();
    assert_eq!(std::fs::read(at.path("real")).unwrap(), b"new");
    // A loop of links is refused, a dangling link makes its target.
    symlink("b", at.path("a")).unwrap();
    symlink("a", at.path("b")).unwrap();
    assert!(write(Path::new("a")).is_err());
    symlink("fresh", at.path("dangling")).unwrap();
    write(Path::new("dangling")).unwrap();
    assert_eq!(std::fs::read(at.path("fresh")).unwrap(), b"new");
    // Long names and names that are not text.
    write(Path::new(&"n".repeat(255))).unwrap();
    write(Path::new(std::ffi::OsStr::from_bytes(b"\xff\xfe"))).unwrap();
    assert!(write(Path::new("no such folder/x")).is_err());
    assert!(at.left_over().is_empty());
}

#[test]
fn files_written_together_are_all_old_or_all_new() {
    let at = Folder::new("together");
    let (a, b) = (at.path("a"), at.path("missing/b"));
    std::fs::write(&a, "old").unwrap();
    let both: [(&Path, &[u8]); 2] = [(&a, b"new"), (&b, b"new")];
    assert!(wickring::io::write_together(&both).is_err());
    assert_eq!(std::fs::read(&a).unwrap(), b"old");
    assert!(at.left_over().is_empty());
}

#[test]
fn an_input_is_overwritten_only_by_force() {
    let at = Folder::new("force");
    let t = wickring::tensor::Tensor::from_vec(&[2, 2, 2], vec![1.0; 8]).unwrap();
    wickring::io::npz::write(&at.path("t.npz"), &[("t", t.view())]).unwrap();
    let before = std::fs::read(at.path("t.npz")).unwrap();
    let cp = [
        "decompose",
        "cp",
        "t.npz",
        "--rank",
        "1",
        "--quiet",
        "--out",
    ];
    for out in ["t.npz", "./t.npz"] {
        let run = at.run(&[&cp[..], &[out]].concat());
        assert!(
            run.code == 2 && run.err.contains("is an input"),
            "{}",
            run.err
        );
    }
    assert_eq!(std::fs::read(at.path("t.npz")).unwrap(), before);
    let run = at.run(&[&cp[..], &["t.npz", "--force"]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    assert_ne!(std::fs::read(at.path("t.npz")).unwrap(), before);
}

#[test]
fn arrays_of_text_beside_a_tensor_and_streams_are_read() {
    let at = Folder::new("beside");
    let data: Vec<f64> = (0..8).map(f64::from).collect();
    at.array("t.npy", &[2, 2, 2], &data);
    let cp = ["decompose", "cp", "--rank", "2", "--json"];
    let direct = at.run(&[&cp[..], &["t.npy"]].concat());
    let read = |run: &Run| -> serde_json::Value { serde_json::from_str(&run.out).unwrap() };
    let (code, figure) = (direct.code, read(&direct)["rel_error"].clone());
    let piped = shell(&at, "cat t.npy | $W decompose cp - --rank 2 --json");
    assert_eq!(
        (piped.code, &read(&piped)["rel_error"]),
        (code, &figure),
        "{}",
        piped.err
    );
    let packed = shell(
        &at,
        "gzip -k t.npy; $W decompose cp t.npy.gz --rank 2 --json",
    );
    assert_eq!(
        (packed.code, &read(&packed)["rel_error"]),
        (code, &figure),
        "{}",
        packed.err
    );
}

#[test]
fn a_json_object_carries_time_and_memory_and_model_files_do_not() {
    let at = Folder::new("cost");
    model(&at);
    let run = at.run(&["map", "pce", "m.json", "--json", "--out", "pce.json"]);
    let value: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert!(value["seconds"].as_f64().unwrap() > 0.0);
    for key in ["seconds", "cpu_seconds", "peak_bytes"] {
        assert!(value.get(key).is_some(), "{key}");
    }
    let file = std::fs::read_to_string(at.path("pce.json")).unwrap();
    assert!(!file.contains("seconds"), "{file}");
    // A square of one normal: mean 1, variance 2.
    assert_eq!(value["outputs"][0]["variance"], 2.0);
}
