//! What each command does with the common options: one row for every command.

/// What a command does with the common options.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// The command as it is typed.
    pub command: &'static str,
    /// The common options that it takes besides [`ALWAYS`].
    pub takes: &'static [&'static str],
    /// Endings that `--out` may have; empty for any.
    pub endings: &'static [&'static str],
    /// Whether `--out` is the printed result itself: the object as `.json`, the text as any other name.
    pub prints_to_out: bool,
    /// Whether `--out NAME.certificate.json` is a certificate of the result instead.
    pub certifies: bool,
    /// Whether `--missing mask` is possible.
    pub masks: bool,
    /// Whether nothing is written beside `--out`.
    pub alone: bool,
    /// Common options that it takes with a meaning of its own: `name` for the scheme of a file, `mask` for a file of holes.
    pub own: &'static [&'static str],
    /// Whether the last of the files that it is given may be an output, as `--out` is.
    pub names_output: bool,
}

/// Common options of every command.
const ALWAYS: [&str; 4] = ["json", "quiet", "verbose", "threads"];

/// Common options that commands choose from.
pub const CHOSEN: [&str; 11] = [
    "seed",
    "progress",
    "max_seconds",
    "out",
    "force",
    "missing",
    "plot",
    "report",
    "columns",
    "name",
    "mask",
];

const fn door(
    command: &'static str,
    takes: &'static [&'static str],
    endings: &'static [&'static str],
) -> Door {
    Door {
        command,
        takes,
        endings,
        prints_to_out: false,
        certifies: false,
        masks: false,
        alone: false,
        own: &[],
        names_output: false,
    }
}

const fn prints(command: &'static str, takes: &'static [&'static str]) -> Door {
    Door {
        prints_to_out: true,
        ..door(command, takes, &["json", "txt"])
    }
}

const fn certifies(door: Door) -> Door {
    Door {
        certifies: true,
        ..door
    }
}

const fn alone(door: Door) -> Door {
    Door {
        alone: true,
        ..door
    }
}

const fn own(own: &'static [&'static str], door: Door) -> Door {
    Door { own, ..door }
}

const fn names_output(door: Door) -> Door {
    Door {
        names_output: true,
        ..door
    }
}

const fn masks(door: Door) -> Door {
    Door {
        masks: true,
        ..door
    }
}

const CUT: &[&str] = &[
    "progress",
    "max_seconds",
    "out",
    "force",
    "missing",
    "plot",
    "report",
    "name",
];
const DRAWN: &[&str] = &[
    "seed",
    "progress",
    "max_seconds",
    "out",
    "force",
    "missing",
    "plot",
    "report",
    "name",
];
const TABLE: &[&str] = &[
    "seed",
    "progress",
    "max_seconds",
    "out",
    "force",
    "missing",
    "plot",
    "columns",
    "report",
    "name",
];
/// Endings of several named arrays.
const ARRAYS: &[&str] = &["npz", "json", "mat", "csv", "tsv"];
/// Endings of rows.
const ROWS: &[&str] = &["npy", "csv", "tsv", "npz", "mat", "json"];
const STORY: &[&str] = &["seed", "progress", "max_seconds", "out", "force", "plot"];
const SHOWN: &[&str] = &["seed", "max_seconds", "out", "force", "plot"];
const TOLD: &[&str] = &["seed", "max_seconds", "out", "force"];
const POLY: &[&str] = &["max_seconds", "out", "force"];
const POLY_SEEDED: &[&str] = &["seed", "max_seconds", "out", "force"];
const ASKED: &[&str] = &["max_seconds", "out", "force"];
const CSV: &[&str] = &["csv", "tsv", "txt"];

/// A row for every command; `tests/cli/options.rs` walks the parser against it.
const DOORS: &[Door] = &[
    door("demo", &["seed", "out"], &[]),
    door("check", &["max_seconds", "out", "force"], &[]),
    door("verify", &["max_seconds", "out", "force"], &[]),
    certifies(prints("poly eq", POLY_SEEDED)),
    certifies(prints("poly expand", POLY)),
    prints("poly moment", POLY),
    prints("poly cumulant", POLY),
    prints("poly hermite", POLY),
    certifies(prints("poly divide", POLY)),
    prints("poly gcd", POLY),
    certifies(prints("poly factor", POLY)),
    certifies(prints("poly groebner", POLY)),
    prints("poly roots", POLY),
    prints("poly resultant", POLY),
    prints("poly discriminant", POLY),
    prints("poly eval", POLY),
    prints("poly compose", POLY),
    certifies(prints("poly solve", POLY_SEEDED)),
    masks(door("learn mixture", TABLE, &["json"])),
    door("learn quadratic", TABLE, &["json"]),
    door("learn polynomial", TABLE, &["json"]),
    door("learn relu", TABLE, &["json"]),
    door("learn two-layer", TABLE, &["json"]),
    door("theory online-sgd", STORY, CSV),
    door("theory full-batch", STORY, CSV),
    masks(door(
        "predict",
        &["max_seconds", "out", "force", "missing", "columns", "name"],
        ROWS,
    )),
    door("sample", &["seed", "out", "force"], ROWS),
    door(
        "moments add",
        &["max_seconds", "out", "force", "missing", "columns", "name"],
        &[],
    ),
    door("moments merge", &["out", "force"], &[]),
    prints("moments show", &["out", "force"]),
    prints("compare", &["out", "force"]),
    prints(
        "bench",
        &["seed", "progress", "max_seconds", "out", "force"],
    ),
    door("convert", &["columns", "missing", "force", "name"], &[]),
    door("completions", &[], &[]),
    door("man", &["out", "force"], &[]),
    door("map pce", ASKED, &["json"]),
    door("map cumulants", ASKED, &["json"]),
    prints("map distance", &["out", "force"]),
    prints(
        "map test",
        &["seed", "out", "force", "missing", "columns", "name"],
    ),
    door("experiment quadratic-story", SHOWN, CSV),
    door("experiment mixture", SHOWN, CSV),
    prints("experiment mixture-compare", &["seed", "out", "force"]),
    prints("experiment list", &["out", "force"]),
    door("experiment relu-story", SHOWN, CSV),
    door("experiment relu-bars", TOLD, CSV),
    door("experiment two-layer", STORY, CSV),
    own(&["mask"], masks(door("decompose cp", DRAWN, ARRAYS))),
    door("decompose symmetric", DRAWN, ARRAYS),
    door(
        "decompose orthogonal",
        &[
            "seed",
            "max_seconds",
            "out",
            "force",
            "missing",
            "plot",
            "report",
            "name",
        ],
        ARRAYS,
    ),
    masks(door("decompose parafac2", DRAWN, ARRAYS)),
    own(&["mask"], masks(door("decompose ring", DRAWN, ARRAYS))),
    door("decompose train", CUT, ARRAYS),
    door("decompose tucker", CUT, ARRAYS),
    alone(door(
        "scheme search",
        &["seed", "progress", "max_seconds", "out", "force"],
        &["json"],
    )),
    own(
        &["name"],
        alone(door(
            "scheme lift",
            POLY_SEEDED,
            &["json", "exp", "m", "mpl", "txt", "slp", "sms"],
        )),
    ),
    own(
        &["name"],
        alone(door(
            "scheme reduce",
            &["seed", "progress", "max_seconds", "out", "force"],
            &[
                "json", "exp", "m", "mpl", "txt", "sms", "slp", "py", "c", "rs", "tex",
            ],
        )),
    ),
    own(
        &["name"],
        alone(door(
            "scheme program",
            POLY_SEEDED,
            &["slp", "py", "c", "rs", "tex"],
        )),
    ),
    names_output(alone(door("scheme convert", ASKED, &[]))),
    alone(door("scheme table", ASKED, &["csv", "json", "txt"])),
    own(&["name"], prints("scheme canonical", ASKED)),
    door("decompose exact", DRAWN, ARRAYS),
];

/// The door of a command; one without a row takes everything.
pub fn of(command: &str) -> Door {
    let known = DOORS.iter().find(|d| d.command == command).copied();
    known.unwrap_or(Door {
        masks: true,
        ..door("", DRAWN, &[])
    })
}

impl Door {
    pub fn takes(&self, id: &str) -> bool {
        [&ALWAYS[..], self.takes, self.own]
            .iter()
            .any(|options| options.contains(&id))
    }
}
