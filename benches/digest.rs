//! What digesting costs, in bytes of COPY text per second on one core: it should stay well above
//! what a server sends, by row width and by the size of the pieces that arrive.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use seren_replicator::verify::Digester;

/// Bytes per round: larger than the caches.
const BYTES: usize = 32 << 20;

/// Lines of `width` bytes, their ends included.
fn text(width: usize) -> Vec<u8> {
    let line = |row: usize| {
        let mut line = format!("{row}\t").into_bytes();
        line.resize(width - 1, b'x');
        line.push(b'\n');
        line
    };
    (0..BYTES / width).flat_map(line).collect()
}

fn digest(text: &[u8], piece: usize) -> u64 {
    let mut digester = Digester::new();
    for piece in text.chunks(piece) {
        digester.update(piece);
    }
    digester.rows()
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("digest");
    group.sample_size(10);
    for (width, piece) in [
        (16, 256 << 10),
        (100, 256 << 10),
        (100, 8 << 10),
        (1000, 256 << 10),
        (1 << 20, 256 << 10),
    ] {
        let text = text(width);
        group.throughput(Throughput::Bytes(text.len() as u64));
        let name = BenchmarkId::new(format!("rows of {width} B"), format!("pieces of {piece} B"));
        group.bench_function(name, |bencher| {
            bencher.iter(|| digest(black_box(&text), piece));
        });
    }
    group.finish();
}

criterion_group!(digests, benches);
criterion_main!(digests);
