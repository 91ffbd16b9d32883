//! What finding messages in the bytes of a COPY costs: they are looked at, not copied, so it should be far
//! above what memory delivers for wide rows, and well above what a server sends for narrow ones.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use seren_replicator::wire::{CONTROL_LIMIT, COPY_BUFFER_BYTES, Scan, Scanner};

/// Bytes per round: larger than the caches.
const BYTES: usize = 32 << 20;

/// `CopyData` messages with rows of `width` bytes.
fn messages(width: usize) -> Vec<u8> {
    let length = u32::try_from(width + 4).unwrap();
    let message = [&b"d"[..], &length.to_be_bytes(), &vec![b'x'; width]].concat();
    message.repeat(BYTES / message.len())
}

/// Follows all messages through buffers as a copy receives them; the rows that have ended.
fn scan(bytes: &[u8]) -> u64 {
    let mut scanner = Scanner::default();
    let (mut front, mut received, mut rows) = (0, 0, 0);
    while front < bytes.len() {
        received = (received + COPY_BUFFER_BYTES).min(bytes.len());
        while front < received {
            match scanner
                .scan(&bytes[front..received], CONTROL_LIMIT)
                .unwrap()
            {
                Scan::Incomplete { .. } => break,
                Scan::Copy { body, last, .. } => {
                    front += body.end;
                    rows += u64::from(last);
                }
                Scan::Message { body, .. } => front += body.end,
            }
        }
    }
    rows
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    group.sample_size(10);
    for width in [16, 64, 256, 1024, 65_536, 1 << 20] {
        let bytes = messages(width);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("scan", width), |bencher| {
            bencher.iter(|| scan(black_box(&bytes)));
        });
    }
    group.finish();
}

criterion_group!(frames, benches);
criterion_main!(frames);
