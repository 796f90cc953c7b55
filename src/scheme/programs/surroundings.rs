//! What stands around the statements of a program: functions that multiply matrices in blocks.

use super::lines::{Line, entry_names};
use super::model::SchemeProgram;
use super::print::ProgramLanguage;
use crate::scheme::model::Target;

const PYTHON_BLOCKS: &str = r#"

class Block:
    """A matrix as a list of rows, with sums, multiples and products."""

    def __init__(self, rows):
        self.rows = rows

    def __add__(self, other):
        if other == 0:
            return self
        return Block([[x + y for x, y in zip(r, s)] for r, s in zip(self.rows, other.rows)])

    def __sub__(self, other):
        return self + (-other)

    def __neg__(self):
        return Block([[-x for x in r] for r in self.rows])

    def __truediv__(self, number):
        over = lambda x: Fraction(x, number) if isinstance(x, int) else x / number
        return Block([[over(x) for x in r] for r in self.rows])

    def __rmul__(self, number):
        return Block([[number * x for x in r] for r in self.rows])

    def __mul__(self, other):
        columns = list(zip(*other.rows))
        return Block([[sum(x * y for x, y in zip(r, c)) for c in columns] for r in self.rows])


def blocks(matrix, rows, columns):
    """Cuts a list of rows into rows x columns blocks of equal size."""
    h, w = len(matrix) // rows, len(matrix[0]) // columns
    if h * rows != len(matrix) or w * columns != len(matrix[0]):
        raise ValueError(f"a matrix of {len(matrix)} x {len(matrix[0])} has no {rows} x {columns} equal blocks")
    return [
        Block([row[j * w : (j + 1) * w] for row in matrix[i * h : (i + 1) * h]])
        for i in range(rows)
        for j in range(columns)
    ]

"#;

/// The whole text.
pub(crate) fn around(
    program: &SchemeProgram,
    language: ProgramLanguage,
    lines: &[Line],
    body: &str,
) -> String {
    let title = program.title();
    let outputs = entry_names(&program.target, 2);
    match language {
        ProgramLanguage::Slp => format!("# {title}\n{body}"),
        ProgramLanguage::Latex => format!("% {title}\n\\begin{{align*}}\n{body}\\end{{align*}}\n"),
        ProgramLanguage::Python => python(program, &title, body, &outputs),
        ProgramLanguage::C => c(program, &title, lines, body, &outputs),
        ProgramLanguage::Rust => rust(program, &title, body, &outputs),
    }
}

fn python(program: &SchemeProgram, title: &str, body: &str, outputs: &[String]) -> String {
    let inputs = [
        entry_names(&program.target, 0),
        entry_names(&program.target, 1),
    ]
    .concat();
    let result = outputs.join(", ");
    let comma = if outputs.len() == 1 { "," } else { "" };
    let function = format!(
        "def product({}):\n    \"\"\"The entries of the result, row by row; the arguments may be numbers or blocks.\"\"\"\n{body}    return {result}{comma}\n",
        inputs.join(", ")
    );
    let head = format!("\"\"\"{title}.\"\"\"\n\nfrom fractions import Fraction\n");
    let Target::Matmul([n, m, p]) = program.target else {
        return format!("{head}\n\n{function}");
    };
    format!(
        "{head}{PYTHON_BLOCKS}\n{function}\n\n\
         def multiply(a, b):\n    \"\"\"The product of two matrices, lists of rows, of sizes divisible by {n} x {m} and {m} x {p}.\"\"\"\n\
         \x20   inner = len(b)\n\
         \x20   if not a or not b or len(a) % {n} or inner % {m} or len(b[0]) % {p} or any(len(r) != inner for r in a):\n\
         \x20       raise ValueError('sizes must go together and be divisible by {n} x {m} and {m} x {p}')\n\
         \x20   c = product(*blocks(a, {n}, {m}), *blocks(b, {m}, {p}))\n\
         \x20   strips = [[block.rows for block in c[i * {p} : (i + 1) * {p}]] for i in range({n})]\n\
         \x20   return [[x for rows in strip for x in rows[k]] for strip in strips for k in range(len(strip[0]))]\n"
    )
}

/// Rows and columns of the blocks of an input or the output; a vector for tensors that are no matrix products.
fn grid(target: &Target, k: usize) -> (usize, usize) {
    match target {
        Target::Matmul([n, m, p]) => [(*n, *m), (*m, *p), (*n, *p)][k],
        other => (other.shape()[k], 1),
    }
}

fn c(
    program: &SchemeProgram,
    title: &str,
    lines: &[Line],
    body: &str,
    outputs: &[String],
) -> String {
    let mut text = format!(
        "/* {title}. */\n#include <stdlib.h>\n#include <string.h>\n\n\
         /* Blocks of s x s numbers; a is a matrix of blocks, row by row, as are b and c. */\n\
         #define FOR for (size_t i = 0; i < s * s; i++)\n\
         #define PRODUCT(x, y, z) block_product(s, x, y, z)\n\n\
         static void block_product(size_t s, double *x, const double *y, const double *z) {{\n\
         \x20   memset(x, 0, s * s * sizeof *x);\n\
         \x20   for (size_t i = 0; i < s; i++)\n\
         \x20       for (size_t k = 0; k < s; k++)\n\
         \x20           for (size_t j = 0; j < s; j++)\n\
         \x20               x[i * s + j] += y[i * s + k] * z[k * s + j];\n}}\n\n\
         static void block_copy(size_t s, size_t width, double *matrix, double *block, size_t i, size_t j, int back) {{\n\
         \x20   for (size_t k = 0; k < s; k++) {{\n\
         \x20       double *line = matrix + (i * s + k) * width * s + j * s;\n\
         \x20       memcpy(back ? line : block + k * s, back ? block + k * s : line, s * sizeof *line);\n\
         \x20   }}\n}}\n\n"
    );
    let names: Vec<Vec<String>> = (0..2).map(|k| entry_names(&program.target, k)).collect();
    let count = names.concat().len() + lines.len();
    text += &format!(
        "/* c = a b; 0, or -1 when there is no memory. */\n\
         int multiply(size_t s, const double *a, const double *b, double *c) {{\n\
         \x20   double *memory = malloc({count} * s * s * sizeof *memory), *next = memory;\n    if (!memory) return -1;\n"
    );
    let all = names
        .concat()
        .into_iter()
        .chain(lines.iter().map(|l| l.name().to_owned()));
    for name in all {
        text += &format!("    double *{name} = next; next += s * s;\n");
    }
    for (k, letter) in ["a", "b"].into_iter().enumerate() {
        let (_, width) = grid(&program.target, k);
        for (at, name) in names[k].iter().enumerate() {
            let (i, j) = (at / width, at % width);
            text +=
                &format!("    block_copy(s, {width}, (double *){letter}, {name}, {i}, {j}, 0);\n");
        }
    }
    text += body;
    let (_, width) = grid(&program.target, 2);
    for (at, name) in outputs.iter().enumerate() {
        text += &format!(
            "    block_copy(s, {width}, c, {name}, {}, {}, 1);\n",
            at / width,
            at % width
        );
    }
    text + "    free(memory);\n    return 0;\n}\n"
}

fn rust(program: &SchemeProgram, title: &str, body: &str, outputs: &[String]) -> String {
    let mut text = format!(
        "//! {title}.\n\n\
         fn product(s: usize, y: &[f64], z: &[f64]) -> Vec<f64> {{\n\
         \x20   let entry = |i: usize, j: usize| (0..s).map(|k| y[i * s + k] * z[k * s + j]).sum();\n\
         \x20   (0..s * s).map(|at| entry(at / s, at % s)).collect()\n}}\n\n\
         fn block(s: usize, width: usize, matrix: &[f64], i: usize, j: usize) -> Vec<f64> {{\n\
         \x20   (0..s * s).map(|at| matrix[(i * s + at / s) * width * s + j * s + at % s]).collect()\n}}\n\n\
         /// `a b` for matrices of blocks of `s x s` numbers, row by row.\n\
         pub fn multiply(s: usize, a: &[f64], b: &[f64]) -> Vec<f64> {{\n"
    );
    for (k, letter) in ["a", "b"].into_iter().enumerate() {
        let (_, width) = grid(&program.target, k);
        for (at, name) in entry_names(&program.target, k).iter().enumerate() {
            text += &format!(
                "    let {name} = block(s, {width}, {letter}, {}, {});\n",
                at / width,
                at % width
            );
        }
    }
    text += body;
    let (rows, width) = grid(&program.target, 2);
    text += &format!(
        "    let mut c = vec![0.0; {rows} * {width} * s * s];\n    let blocks = [{}];\n\
         \x20   for (k, block) in blocks.into_iter().enumerate() {{\n\
         \x20       for (at, x) in block.iter().enumerate() {{\n\
         \x20           c[(k / {width} * s + at / s) * {width} * s + k % {width} * s + at % s] = *x;\n\
         \x20       }}\n    }}\n    c\n}}\n",
        outputs
            .iter()
            .map(|o| format!("&{o}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    text
}
