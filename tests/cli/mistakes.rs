//! A table of mistakes that people make: each ends with exit code 2 and one line that names what was wrong.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::outside::Folder;

/// Arguments, a bar, and the parts that the message must hold, separated by plus signs.
const MISTAKES: &str = "\
frobnicate | unrecognized subcommand 'frobnicate'
poly expand | required arguments + <EXPR>
poly expand x --nosuch | unexpected argument '--nosuch'
poly expand x+ | at byte 2 + expected + found the end
poly expand x+( | at byte 3 + expected
poly expand 1/0 | at byte 2 + nonzero
poly expand x --field F4 | prime + got 4
poly expand x --field Fp:4 | prime + got 4
poly expand x --field nosuch | --field + got 'nosuch'
poly expand @nosuch.txt | nosuch.txt + cannot be
poly expand x --vars y | expected one of y + found 'x'
poly expand x --plot p.svg | does not take --plot + draws no picture
poly expand x --missing mask | does not take --missing
poly expand x --seed 1 | does not take --seed + no random numbers
poly expand x --progress plain | does not take --progress
poly expand x --force | does not take --force + without --out
poly expand x --out x.csv | x.csv + writes .json or .txt
poly expand x --out nosuch/x.json | nosuch/x.json + cannot be written
poly expand x --out folder.json | folder.json + is a folder
poly expand x --threads 0 | --threads + 1..=1024 + got 0
poly expand x --threads 5000 | --threads + got 5000
poly expand x --threads two | invalid value 'two' + --threads
poly expand x --max-seconds 0 | --max-seconds + positive + got 0
poly expand x --max-seconds -1 | unexpected argument '-1'
poly expand x --max-seconds nan | --max-seconds + got NaN
poly eq x | required arguments + <RIGHT>
poly divide x | required arguments + <DIVISORS>
poly divide x 0 | divisor + zero
poly divide x y --order nosuch | lex + degrevlex + got 'nosuch'
poly gcd | required arguments + <EXPRS>
poly factor 0 | nonzero
poly roots x*y | one variable
poly roots 0 | nonzero
poly moment x --dist nosuch | invalid value 'nosuch' + normal + sphere
poly moment x --order 0 | --order + found '0'
poly moment x --cov nosuch.csv | nosuch.csv + cannot be read
poly groebner | required arguments + <EXPRS>
poly groebner x --order nosuch | lex + degrevlex + got 'nosuch'
decompose cp | required arguments + <FILE>
decompose cp t.npy --rank 0 | --rank + got '0'
decompose cp t.npy --rank -1 | unexpected argument '-1'
decompose cp t.npy --rank two | --rank + got 'two'
decompose cp t.npy --rank 3..1 | --rank + got '3..1'
decompose cp nosuch.npy --rank 1 | nosuch.npy + cannot be read
decompose cp folder --rank 1 | folder + is a folder + wickring convert
convert folder o.npy | folder + without .npy
convert t.npy wide.npy o.npy | wide.npy + shape [2, 3, 4] + t.npy has [4, 3, 2] + parafac2
convert t.npy | 2 values + <IN>
poly expand 3x*y | at byte 1 + products are written with *
poly moment x --cov turned.csv | turned.csv + row 2 + expected the row of x
learn relu z.npy --out o.json | unexpected argument 'z.npy' + --inputs <INPUTS>
learn relu --inputs z.npy --target 9 --out o.json | z.npy + has no column '9' + columns 0 to 3
learn relu --inputs z.npy --target 1 --columns 0,1 --out o.json | --target + 1 is among the inputs
learn relu --inputs z.npy --target 1 --targets z.npy --out o.json | --target <COLUMN> + cannot be used with
decompose cp t.npy --rank 1..3 --loss poisson | one number for --loss + each number by itself
decompose cp t.npy --rank 2 --constraint 0:orthonormal --constraint 0:unimodal | unimodal + excludes + name the modes
scheme convert s.exp | second name
compare t1.npz scheme.npz | scheme.npz + wickring scheme canonical
decompose cp u.xyz --rank 1 | u.xyz + .npy
decompose cp no.npy --rank 1 | no.npy + header
decompose cp empty.npy --rank 1 | empty.npy + is empty
decompose cp bad.npz --rank 1 | bad.npz + is not an .npz archive
decompose cp bad.mat --rank 1 | bad.mat + byte 0 + MATLAB
decompose cp word.tns --rank 1 | word.tns + line 1 + found 'x'
decompose cp zero.tns --rank 1 | zero.tns + line 1 + index from 1
decompose cp ragged.tns --rank 1 | ragged.tns + line 2 + has 2 indices
decompose cp empty.tns --rank 1 | empty.tns + no entry
decompose cp huge.tns --rank 1 | huge.tns + line 1 + number the indices
decompose cp huger.tns --rank 1 | huger.tns + line 1 + expected an index
decompose cp t.npy --rank 1 --name x | t.npy + --name x does nothing
decompose cp two.npz --rank 1 | two.npz + choose one with --name + a, b
decompose cp two.npz --rank 1 --name c | no array 'c' + a, b
decompose cp t.npy --rank 1 --out f.xyz | f.xyz + writes .npz or .json or .mat or .csv
decompose cp t.npy --rank 1000000 | --rank + from 1 to 100000 + got '1000000'
decompose cp hole.npy --rank 1 --mask wide.npy | wide.npy + shape [2, 3, 4] + [4, 3, 2] + the other way round
decompose cp t.npy --rank 1 --mask t.npy | t.npy + entry (0, 0, 0) + expected 1 (measured) or 0 (missing)
decompose cp hole.npy --rank 1 --mask ones.npy | hole.npy + entry + mask says that it was measured + --missing mask
decompose cp t.npy --rank 1 --mask nosuch.npy | nosuch.npy + cannot be read
decompose train t.npy --tol .1 --mask ones.npy | does not take --mask + decompose cp
decompose train hole.npy --rank 2 | hole.npy + 1 in all of 24 entries
poly expand x --name y | does not take --name + several arrays
decompose cp two.npz --rank 1 --name a,b | --name + one array
learn relu --inputs two.npz --targets two.npz --name a --out o.json | --name + X,y
learn quadratic two.npz --name c --out o.json | no array 'c' + a, b
learn quadratic z.npy --name c --out o.json | z.npy + --name c does nothing
learn quadratic book.csv --out o.json | book.csv + Excel + read_excel
sample m.json -n 5 --out m.csv.gz | m.csv.gz + writes
decompose cp two.npz --rank 1 --name a --out two.npz | two.npz + is an input + --force
decompose cp t.npy --rank 1 --plot p.gif | p.gif + .svg or .png
decompose cp t.npy --rank 1 --method nosuch | invalid value 'nosuch' + als
decompose cp hole.npy --rank 1 | hole.npy + entry + not finite
decompose ring t.npy --rank 0 | --rank + got '0'
decompose ring t.npy --tol 2 | --tol + got 2
decompose symmetric t.npy --rank 1 | equal + [4, 3, 2]
decompose train t.npy | required arguments + --tol
decompose train t.npy --tol 1 | tolerance + [0, 1) + got 1
decompose train t.npy --ranks 2,2,2 | order 3 + 2 inner ranks + got 3
decompose train t.npy --ranks 0 | ranks must be at least 1
decompose train hole.npy --tol .1 | hole.npy + entry + not finite + decompose cp
decompose train t.npy --tol .1 --seed 1 | does not take --seed
decompose tucker t.npy | required arguments + --rank
decompose tucker t.npy --ranks 2,2 | --rank has 2 entries + 3 modes
decompose tucker t.npy --ranks 2,x,2 | numbers from 1 + got 'x'
decompose tucker t.npy --ranks auto | --tol + got 'auto'
learn quadratic z.npy | --out PATH is required
learn quadratic nosuch.npy --out o.json | nosuch.npy + cannot be read
learn quadratic z.npy --out o.npz | o.npz + writes .json
learn quadratic z.npy --out o.json --missing mask | does not take --missing mask
learn quadratic ragged.csv --out o.json | ragged.csv + line 3 + has 1 entries, expected 2
learn quadratic word.csv --out o.json | word.csv + line 2 + found 'x'
learn quadratic empty.csv --out o.json | empty.csv + is empty
learn quadratic nan.csv --out o.json | nan.csv + row 1, column 1 + NaN
learn quadratic t.npy --out o.json | t.npy + shape [4, 3, 2] + rows x columns
learn quadratic folder --out o.json | folder + without .npy
learn relu --inputs z.npy --out o.json | required arguments + --targets
learn mixture z.npy --components 0 --out o.json | --components + got 0
learn mixture z.npy --components x --out o.json | --components + got x
sample m.json -n 0 --out s.npy | at least 1 + got 0
sample m.json -n 5 | --out PATH is required
sample m.json -n 5 --out s.xyz | s.xyz + writes .npy or .csv
sample z.npy -n 5 --out s.npy | z.npy + holds arrays + expected a model file
sample bad.json -n 5 --out s.npy | bad.json + schema + nonsense
sample cut.json -n 5 --out s.npy | cut.json + not JSON
sample bytes.json -n 5 --out s.npy | bytes.json + byte 0 + not text
sample folder -n 5 --out s.npy | folder + expected a model file
sample nosuch.json -n 5 --out s.npy | nosuch.json + cannot be read
predict m.json --input z.npy --out y.npy | z.npy + has 4 columns + 1 inputs
predict m.json --input z.npy --out y.npy --seed 1 | does not take --seed
decompose exact t.npy --rank 1 --resume z.npy | z.npy + --resume + expected wickring/checkpoint/1
predict short.json --input z.npy --out y.npy | short.json + input_dim
map pce bad.json | bad.json + schema
map distance m.json | required arguments + <REFERENCE>
map cumulants m.json --order 9 | --order in 1..=8 + got 9
map cumulants m.json --outputs 5 | output below 1 + got 5
map test m.json z.npy | z.npy + has 4 columns + 1 outputs
verify | required arguments + <FILES>
verify nosuch.json | nosuch.json
verify u.xyz | u.xyz + expected .json
check nosuch.json | nosuch.json
check cut.json | cut.json
check m.json | m.json
demo --sabotage nosuch | invalid value 'nosuch' + sign
poly resultant x*y x+y | --by + name one variable + x, y occur
poly resultant x y --by z | --by + expected a variable that occurs (x, y) + got 'z'
poly discriminant 3 | --by + no variable occurs
poly eval x --at x | --at + expected NAME=VALUE + got 'x'
poly eval x --at x=two | --at + expected a number such as 2 + got 'two'
poly eval x --at x=1,x=2 | --at + x is given twice
poly eval x --at y=1 | --at + (x) + got 'y'
poly compose x --put x | --put + expected NAME=VALUE + got 'x'
poly compose x --put x=x+ | at byte 2 + found the end
bench --against flint --area cp | --against + flint does nothing in the area cp + tensorly or pyttb
bench --against nosuch | invalid value 'nosuch' + flint
man | --out PATH is required
experiment relu-bars --only nosuch | --only + no size is named like 'nosuch' + separated
experiment mixture-compare z.npy nosuch.npy | nosuch.npy + cannot be read
experiment relu-bars --plot p.svg | does not take --plot
decompose cp t.npy --rank 1 --report r.txt | r.txt + --report writes .html
verify s.exp --plot p.svg | does not take --plot + draws no picture
poly expand x --report r.html | does not take --report
scheme table folder | folder + no scheme + .exp";

fn stage(at: &Folder) {
    let tensor: Vec<f64> = (0..24).map(|k| f64::from(k % 7) - 2.5).collect();
    at.array("t.npy", &[4, 3, 2], &tensor);
    let mut holed = tensor.clone();
    holed[5] = f64::NAN;
    at.array("hole.npy", &[4, 3, 2], &holed);
    at.array("ones.npy", &[4, 3, 2], &[1.0; 24]);
    at.array("wide.npy", &[2, 3, 4], &[1.0; 24]);
    at.array("z.npy", &[200, 4], &[0.5; 800]);
    let t = wickring::tensor::Tensor::from_vec(&[4, 3, 2], tensor).unwrap();
    let named = [("a", t.view()), ("b", t.view())];
    wickring::io::npz::write(&at.path("two.npz"), &named).unwrap();
    let named = [("u", t.view()), ("v", t.view()), ("w", t.view())];
    wickring::io::npz::write(&at.path("scheme.npz"), &named).unwrap();
    let column = wickring::tensor::Tensor::from_vec(&[2, 1], vec![1.0, 2.0]).unwrap();
    let one = wickring::tensor::Tensor::from_vec(&[1], vec![1.0]).unwrap();
    let factors = [
        ("weights", one.view()),
        ("factor_0", column.view()),
        ("factor_1", column.view()),
    ];
    wickring::io::npz::write(&at.path("t1.npz"), &factors).unwrap();
    let model = r#"{"schema":"wickring/quadratic-map/1","latent_dim":1,"output_dim":1,
        "quadratic":[[[1.0]]],"linear":[[0.0]],"constant":[0.0]}"#;
    for (name, content) in [
        ("m.json", model.as_bytes()),
        ("bad.json", b"{\"schema\":\"nonsense\"}"),
        ("cut.json", b"{"),
        ("short.json", b"{\"schema\":\"wickring/relu-network/1\"}"),
        ("bytes.json", b"\xff\xfe"),
        ("word.tns", b"1 1 1 x\n"),
        ("zero.tns", b"0 1 1 1.0\n"),
        ("ragged.tns", b"1 1 1 1.0\n1 1 1.0\n"),
        ("empty.tns", b""),
        ("huge.tns", b"4294967297 1 1 1.0\n2 2 2 2.0\n"),
        ("huger.tns", b"99999999999999999999 1 1 1.0\n"),
        ("ragged.csv", b"a,b\n1,2\n3\n"),
        ("word.csv", b"a,b\n1,x\n"),
        ("empty.csv", b""),
        ("nan.csv", b"1,2\n3,nan\n"),
        ("turned.csv", b",x,y\ny,0.5,1\nx,2,0.5\n"),
        ("no.npy", b"hello"),
        ("empty.npy", b""),
        ("bad.npz", b"PK\x03\x04junk"),
        ("bad.mat", &[0; 200]),
        ("u.xyz", b"x"),
        (
            "book.csv",
            include_bytes!("../fixtures/producers/workbook.xlsx"),
        ),
    ] {
        std::fs::write(at.path(name), content).unwrap();
    }
    for folder in ["folder", "folder.json"] {
        std::fs::create_dir(at.path(folder)).unwrap();
    }
}

#[test]
fn every_mistake_is_one_line_with_the_place_and_exit_code_two() {
    let at = Folder::new("mistakes");
    stage(&at);
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in MISTAKES.lines() {
        let (arguments, parts) = row.split_once(" | ").unwrap();
        let arguments: Vec<&str> = arguments.split(' ').collect();
        count += 1;
        let run = at.run(&arguments);
        let one_line = run.err.trim_end().lines().count() == 1;
        let all = parts.split(" + ").all(|part| run.err.contains(part));
        // Names of functions are nobody's words.
        let all = all && !run.err.contains("::");
        if run.code != 2 || !one_line || !all || !run.out.is_empty() {
            wrong.push(format!(
                "{row}\n    exit {}: {}{}",
                run.code, run.err, run.out
            ));
        }
        // With --json the same mistake is one object on standard output.
        let with_json = [&arguments[..], &["--json"]].concat();
        let run = at.run(&with_json);
        let value: Result<serde_json::Value, _> = serde_json::from_str(&run.out);
        let told = value.is_ok_and(|v| {
            let e = &v["error"];
            let keys = ["file", "kind", "message", "place"];
            e.as_object().is_some_and(|o| o.keys().eq(keys.iter()))
                && parts
                    .split(" + ")
                    .all(|part| e["message"].as_str().is_some_and(|m| m.contains(part)))
        });
        if run.code != 2 || !told {
            wrong.push(format!("{row} --json\n    exit {}: {}", run.code, run.out));
        }
    }
    assert!(count >= 120, "{count} mistakes");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Arguments that end with exit code 3, and the file that then holds the best so far; none where there is none.
const SHORT_OF_IT: &str = "\
decompose cp t.npy --rank 1 --tol 1e-9 --out f.npz | f.npz
decompose ring t.npy --rank 1 --tol 1e-9 --out g.npz | g.npz
decompose cp t.npy --rank 2 --method als --starts 1 --iterations 1 --out h.npz | h.npz
learn quadratic z.npy --out o.json |
poly expand (x+y+z+w+1)^90 --max-seconds 0.001 --out o.json |
poly moment (x+y+z+w)^12 --order 12 --max-seconds 0.05 --out o.json |
poly factor (x^97-1)*(y^60-x) --max-seconds 0.001 --out o.json |";

#[test]
fn exit_three_leaves_the_best_so_far_or_says_that_there_is_none() {
    let at = Folder::new("short");
    stage(&at);
    let mut wrong = Vec::new();
    for row in SHORT_OF_IT.lines() {
        let (arguments, file) = row.split_once(" |").unwrap();
        let run = at.run(&arguments.split(' ').collect::<Vec<_>>());
        let good = match file.trim() {
            "" => run.err.contains("there is no result to write") && !at.path("o.json").exists(),
            file => at.path(file).exists() && run.out.contains("wrote"),
        };
        if run.code != 3 || !good || run.err.contains("::") {
            wrong.push(format!(
                "{row}\n    exit {}: {}{}",
                run.code, run.err, run.out
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_message_stays_short_whatever_a_file_or_a_word_holds() {
    let at = Folder::new("long-names");
    let long = "a".repeat(50_000);
    std::fs::write(at.path("name.csv"), format!("{long},b\n1,2\nx,3\n")).unwrap();
    std::fs::write(at.path("nan.csv"), format!("{long},b\n1,2\nnan,3\n")).unwrap();
    let model = format!(r#"{{"schema":"wickring/{long}"}}"#);
    std::fs::write(at.path("schema.json"), model).unwrap();
    let option = format!("--{long}");
    let lines: [&[&str]; 8] = [
        &["learn", "quadratic", "name.csv", "--out", "o.json"],
        &["learn", "quadratic", "nan.csv", "--out", "o.json"],
        &["convert", "name.csv", "o.npy", "--columns", &long],
        &["map", "pce", "schema.json"],
        &["sample", "schema.json", "-n", "3", "--out", "o.npy"],
        &["decompose", "cp", "name.csv", &option],
        &["poly", "expand", "x", "--field", &long],
        &["poly", "expand", "x", "--threads", &long],
    ];
    for line in lines {
        for json in [&[][..], &["--json"]] {
            let run = at.run(&[line, json].concat());
            assert_eq!(run.code, 2, "{:.200}", run.err);
            assert!(
                run.err.len() < 2000 && run.out.len() < 4000,
                "{}: {:.300}",
                line[0],
                run.err
            );
        }
    }
}
