//! Tells cargo that the migrations are part of the program: a new file alone would not be noticed.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
