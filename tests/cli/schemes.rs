//! `wickring scheme` as scripts meet it: files, exit codes, JSON, refusals.
#![allow(clippy::unwrap_used)] // helpers of tests

use crate::outside::Folder;
use serde_json::Value;

const STRASSEN: &str = "(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*b11*(c21-c22)\na11*(b12-b22)*(c12+c22)\na22*(b21-b11)*(c11+c21)\n\
                        (a11+a12)*b22*(c12-c11)\n(a21-a11)*(b11+b12)*c22\n(a12-a22)*(b21+b22)*c11\n";

fn json(at: &Folder, line: &str) -> (i32, Value) {
    let words: Vec<&str> = line.split_whitespace().chain(["--json"]).collect();
    let run = at.run(&words);
    let value = serde_json::from_str(&run.out)
        .unwrap_or_else(|e| Value::from(format!("{e}: {}{}", run.out, run.err)));
    (run.code, value)
}

#[test]
fn a_scheme_is_found_judged_reduced_printed_and_compared() {
    let at = Folder::new("workshop");
    let (code, found) = json(
        &at,
        "scheme search --tensor matmul:2,2,2 --rank 7 --out s.json",
    );
    assert_eq!(
        (code, &found["rank"], &found["reached"]),
        (0, &7.into(), &true.into()),
        "{found}"
    );
    assert_eq!(json(&at, "verify s.json --field Z").0, 0);
    let (code, reduced) = json(&at, "scheme reduce s.json --additions 15 --out r.json");
    assert_eq!((code, &reduced["additions"]), (0, &15.into()), "{reduced}");
    assert_eq!(json(&at, "verify r.json --field Z").0, 0);
    for (name, sign) in [
        ("r.py", "def multiply"),
        ("r.c", "PRODUCT("),
        ("r.rs", "pub fn multiply"),
        ("r.tex", "align"),
        ("r.slp", ":="),
    ] {
        let (code, printed) = json(
            &at,
            &format!("scheme program r.json --tries 200 --out {name}"),
        );
        assert_eq!((code, &printed["products"]), (0, &7.into()), "{printed}");
        assert!(printed["additions"].as_u64().unwrap() <= 18, "{printed}");
        assert!(
            std::fs::read_to_string(at.path(name))
                .unwrap()
                .contains(sign),
            "{name}"
        );
    }
    assert_eq!(json(&at, "verify r.slp --field Z").0, 0);
    let (code, own) = json(&at, "scheme canonical s.json");
    assert_eq!(
        (code, &own["family_dimension"], &own["orbit_dimension"]),
        (0, &9.into(), &9.into()),
        "{own}"
    );
    let (code, both) = json(&at, "scheme canonical s.json r.json");
    assert_eq!(
        (code, &both["verdict"]),
        (0, &"EQUIVALENT".into()),
        "{both}"
    );
}

#[test]
fn what_was_not_reached_is_written_and_ends_with_three() {
    let at = Folder::new("unreached");
    let (code, found) = json(
        &at,
        "scheme search --tensor matmul:2,2,2 --rank 6 --flips 5000 --field F2 --out s.json",
    );
    assert_eq!(
        (code, &found["status"]),
        (3, &"iteration-limit".into()),
        "{found}"
    );
    assert_eq!(found["field"], "mod 2");
    assert!(at.path("s.json").exists());
    let (code, on) = json(
        &at,
        "scheme search --resume s.json --flips 10000 --rank 6 --out t.json",
    );
    assert_eq!(
        (code, on["flips"].as_u64() > found["flips"].as_u64()),
        (3, true),
        "{on}"
    );
    let (code, _) = json(&at, "scheme search --resume s.json --walkers 2");
    assert_eq!(code, 2);
    let (code, stopped) = json(
        &at,
        "scheme search --tensor matmul:4,4,4 --field F2 --rank 40 --flips 1000000000 --max-seconds 1 --out u.json",
    );
    assert_eq!(
        (code, &stopped["status"]),
        (3, &"stopped".into()),
        "{stopped}"
    );
    let (code, reduced) = json(&at, "scheme reduce u.json --steps 10");
    assert_eq!(code, 2, "{reduced}");
}

#[test]
fn lifting_says_which_of_three_it_is() {
    let at = Folder::new("lifting");
    let plain: String = STRASSEN.replace('-', "+");
    std::fs::write(at.path("s_mod2.exp"), plain).unwrap();
    let (code, lifted) = json(&at, "scheme lift s_mod2.exp --to Z --out s.exp");
    assert_eq!(
        (code, &lifted["verdict"], &lifted["field"]),
        (0, &"LIFTED".into(), &"ZT".into()),
        "{lifted}"
    );
    assert_eq!(json(&at, "verify s.exp --field Z").0, 0);
    let (code, three) = json(&at, "scheme lift s.exp --from F3 --to Z");
    assert_eq!((code, &three["field"]), (0, &"ZT".into()), "{three}");
    // The matrix 1 1 / 1 -1 has rank one modulo 2, and two modulo 4.
    at.array("t.npy", &[2, 2, 1], &[1.0, 1.0, 1.0, -1.0]);
    std::fs::write(at.path("low.txt"), "# a\n1\n1\n# b\n1\n1\n# c\n1\n").unwrap();
    let (code, none) = json(&at, "scheme lift low.txt --tensor t.npy --out proof.json");
    assert_eq!(
        (code, &none["verdict"], &none["proof_holds"]),
        (1, &"NO LIFT".into(), &true.into()),
        "{none}"
    );
    let proof = std::fs::read_to_string(at.path("proof.json")).unwrap();
    assert!(
        wickring::scheme::NoLift::from_json(&proof)
            .unwrap()
            .holds()
            .unwrap()
    );
    let (code, error) = json(&at, "scheme lift s.exp --from F3 --tensor matmul:2,2,3");
    assert_eq!((code, error["error"].is_object()), (2, true), "{error}");
}

#[test]
fn every_form_converts_into_every_other() {
    let at = Folder::new("forms");
    std::fs::write(at.path("s.exp"), STRASSEN).unwrap();
    let forms = [
        "json", "reduced", "exp", "m", "mpl", "tables", "flat", "slp", "sms",
    ];
    for form in forms {
        let (code, made) = json(&at, &format!("scheme convert s.exp {form} --to {form}"));
        assert_eq!(code, 0, "{made}");
        let out = made["schemes"][0]["out"][0].as_str().unwrap().to_owned();
        let (code, judged) = json(&at, &format!("verify {out}"));
        assert_eq!(
            (code, &judged["schemes"][0]["verdict"]),
            (0, &"EXACT".into()),
            "{form}: {judged}"
        );
        for other in forms {
            let (code, made) = json(
                &at,
                &format!("scheme convert {out} {form}-{other} --to {other}"),
            );
            assert_eq!(
                (code, &made["schemes"][0]["rank"]),
                (0, &7.into()),
                "{form} to {other}: {made}"
            );
        }
    }
    let run = at.run(&["scheme", "convert", "s.exp", "x.png"]);
    assert_eq!(
        (run.code, run.err.contains("--to")),
        (2, true),
        "{}",
        run.err
    );
    let run = at.run(&["scheme", "convert", "s.exp", "s.exp"]);
    assert_eq!(
        (run.code, run.err.contains("--force")),
        (2, true),
        "{}",
        run.err
    );
}

#[test]
fn a_table_has_a_row_for_each_scheme_and_for_each_file_that_is_none() {
    let at = Folder::new("table");
    std::fs::create_dir_all(at.path("in/deep")).unwrap();
    std::fs::write(at.path("in/a.exp"), STRASSEN).unwrap();
    std::fs::write(at.path("in/deep/b.exp"), STRASSEN).unwrap();
    std::fs::write(at.path("best.csv"), "format,ZT,Z,Q\n2x2x2,7,7,7\n").unwrap();
    let (code, all) = json(&at, "scheme table in --best best.csv --out t.csv");
    assert_eq!(
        (code, all["schemes"].as_array().unwrap().len()),
        (0, 2),
        "{all}"
    );
    let row = &all["schemes"][0];
    for (key, value) in [("rank", 7), ("additions", 18), ("reduced", 18), ("best", 7)] {
        assert_eq!(row[key], value, "{row}");
    }
    assert_eq!(row["types"], "6 X Y Z + 1 X^2 Y^2 Z^2");
    let csv = std::fs::read_to_string(at.path("t.csv")).unwrap();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    std::fs::write(at.path("in/c.exp"), "a11*b11").unwrap();
    std::fs::write(at.path("in/d.exp"), STRASSEN.replacen('+', "-", 1)).unwrap();
    let (code, all) = json(&at, "scheme table in/*.exp");
    assert_eq!(
        (code, all["schemes"].as_array().unwrap().len()),
        (2, 3),
        "{all}"
    );
    assert_eq!(all["schemes"][1]["verdict"], "UNREADABLE");
    assert_eq!(all["schemes"][2]["verdict"], "WRONG");
    assert_eq!(json(&at, "scheme table in/d.exp").0, 1);
    // What the time does not suffice for is named.
    let (code, all) = json(
        &at,
        "scheme table in --max-seconds 0.000001 --out t.csv --force",
    );
    assert_eq!((code, all["schemes"].as_array().unwrap().len()), (3, 4));
    assert_eq!(all["schemes"][0]["verdict"], "NOT REACHED");
    assert!(
        std::fs::read_to_string(at.path("t.csv"))
            .unwrap()
            .contains("NOT REACHED")
    );
}

#[test]
fn targets_have_names() {
    let at = Folder::new("names");
    std::fs::write(
        at.path("c.slp"),
        "m1 = a1*(b1+b2)\nm2 = (a1+a2)b2\nm3 = (a2-a1)*b1\nc1 = m1-m2\nc2 = m1+m3\n",
    )
    .unwrap();
    assert_eq!(json(&at, "verify c.slp --tensor complex").0, 0);
    assert_eq!(json(&at, "verify c.slp --tensor cyclic:2").0, 1);
    let (code, found) = json(
        &at,
        "scheme search --tensor structured:ss,2 --field ZT --rank 6 --flips 3000000 --out ss.json",
    );
    assert_eq!((code, &found["rank"]), (0, &6.into()), "{found}");
    assert_eq!(json(&at, "verify ss.json --tensor structured:ss,2").0, 0);
    let (code, error) = json(&at, "scheme search --tensor structured:xy,2");
    assert_eq!((code, error["error"].is_object()), (2, true), "{error}");
}

/// The tensor that a search was for stands in its file, and whatever reads the file takes it.
#[test]
fn what_a_search_writes_says_what_it_is() {
    let at = Folder::new("named");
    for tensor in ["cyclic:2", "complex", "short:2"] {
        let line = format!("scheme search --tensor {tensor} --flips 2000 --out n.json --force");
        assert_eq!(json(&at, &line).0, 0, "{tensor}");
        let (code, found) = json(&at, "verify n.json");
        assert_eq!(code, 0, "{tensor}: {found}");
        let (code, found) = json(&at, "scheme convert n.json m.json --force");
        assert_eq!(code, 0, "{tensor}: {found}");
        assert_eq!(json(&at, "verify m.json").0, 0, "{tensor}");
    }
}

#[test]
fn damaged_states_are_refused() {
    let at = Folder::new("damaged");
    let line = "scheme search --tensor matmul:2,2,2 --rank 1 --flips 1000 --out i.json";
    assert_eq!(json(&at, line).0, 3);
    let text = std::fs::read_to_string(at.path("i.json")).unwrap();
    let mut saved: Value = serde_json::from_str(&text).unwrap();
    saved["search"]["round"] = 9_223_372_036_854_775_808u64.into();
    std::fs::write(at.path("i.json"), saved.to_string()).unwrap();
    let (code, found) = json(
        &at,
        "scheme search --resume i.json --flips 2000 --out o.json",
    );
    assert_eq!(code, 2, "{found}");
}

#[test]
fn counts_that_the_time_cut_short_say_so() {
    let at = Folder::new("cut");
    let text: String = (1..=4)
        .flat_map(|i| (1..=4).map(move |j| (i, j)))
        .flat_map(|(i, j)| (1..=4).map(move |k| (i, j, k)))
        .map(|(i, j, k)| format!("(a{i}{j}+a{i}{j}-a{i}{j})*b{j}{k}*c{i}{k}\n"))
        .collect();
    std::fs::write(at.path("s.exp"), text).unwrap();
    let (code, whole) = json(&at, "scheme table s.exp --tries 2");
    assert_eq!(code, 0, "{whole}");
    let row = &whole["schemes"][0];
    assert!(
        row["reduced"].is_number() && row["reduced_cut_short"].is_null(),
        "{row}"
    );
    let (_, part) = json(&at, "scheme table s.exp --tries 65536 --max-seconds 0.4");
    let row = &part["schemes"][0];
    let short = row["reduced_cut_short"] == true && row["error"].to_string().contains("time ended");
    assert!(short || row["verdict"] == "NOT REACHED", "{row}");
}
