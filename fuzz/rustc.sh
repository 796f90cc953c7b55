#!/usr/bin/env bash
# Compiles with counters of coverage what is to be explored: this crate and the readers that it stands on.
# Counters in the linear algebra would call every new size of a matrix a discovery. Cargo calls this as RUSTC_WRAPPER.
counted=' (wickring|wickring_fuzz|library|command_line|csv|csv_core|zip|flate2|miniz_oxide|serde_json) '
name=
for ((k = 1; k < $#; k++)); do
    [ "${!k}" = --crate-name ] && k=$((k + 1)) && name=${!k}
done
if [[ " $name " =~ $counted ]]; then
    exec "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=16
fi
exec "$@"
