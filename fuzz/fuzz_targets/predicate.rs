//! Predicates of the command line and of files: no text leaves its parentheses, and no text panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use seren_replicator::predicate::{Predicate, find_time_operands};

fuzz_target!(|text: &str| {
    let Ok(predicate) = Predicate::parse(text) else {
        return;
    };
    predicate.words();
    predicate.has_query();
    for place in predicate.special_literals() {
        assert!(predicate.text().get(place).is_some());
    }
    if let Ok(operands) = find_time_operands(&predicate) {
        let mut end = 0;
        for operand in operands {
            assert!(operand.place.start >= end, "operands overlap");
            end = operand.place.end;
            let text = predicate.text().get(operand.place).unwrap();
            assert!(
                Predicate::parse(text).is_ok(),
                "an operand is an expression: {text}"
            );
        }
    }
    // What is wrong within parentheses is wrong alone, and the other way round.
    assert!(Predicate::parse(&format!("({})", predicate.text())).is_ok());
});
