//! The pump between two unix sockets: what a lane costs apart from the servers.
//!
//! Two threads speak just enough of the protocol to be source and target. The time measured is
//! the processor time of the pump's own thread, so throughput reads as "per core" however many
//! cores the machine has. `docs/performance.md` has the figures and what follows from them.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use seren_replicator::pg::Sql;
use seren_replicator::wire::{
    Authentication, ChannelBinding, ChannelBindingPolicy, Connection, Idle, Packing, Progress,
    PumpOptions, Startup, pump,
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Bytes of rows in one copy.
const VOLUME: usize = 256 << 20;

/// What a source writes at once, and a target reads.
const CHUNK: usize = 256 << 10;

/// Bytes of a row.
const WIDTHS: [usize; 7] = [16, 64, 256, 1024, 4096, 65_536, 1 << 24];

const COPY_DONE: &[u8] = b"c\0\0\0\x04";

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// Takes the start-up packet and the command, each small enough for one read, and answers both.
fn greet(stream: &mut UnixStream, answer: u8) {
    let mut buffer = [0; 4096];
    assert!(stream.read(&mut buffer).unwrap() > 0);
    let admitted = [message(b'R', &[0; 4]), ready()].concat();
    stream.write_all(&admitted).unwrap();
    assert!(stream.read(&mut buffer).unwrap() > 0);
    stream.write_all(&message(answer, &[0; 3])).unwrap();
}

fn finish(stream: &mut UnixStream, rows: usize) {
    let tag = message(b'C', format!("COPY {rows}\0").as_bytes());
    stream.write_all(&[tag, ready()].concat()).unwrap();
}

fn serve_source(mut stream: UnixStream, width: usize, rows: usize) {
    greet(&mut stream, b'H');
    let row = message(b'd', &vec![b'x'; width]);
    let per_chunk = (CHUNK / row.len()).max(1);
    let chunk = row.repeat(per_chunk);
    let mut left = rows;
    while left > 0 {
        let sent = left.min(per_chunk);
        stream.write_all(&chunk[..sent * row.len()]).unwrap();
        left -= sent;
    }
    stream.write_all(COPY_DONE).unwrap();
    finish(&mut stream, rows);
}

/// The rows hold nothing that looks like `CopyDone`, so that the end is seen without parsing.
fn serve_target(mut stream: UnixStream, rows: usize) {
    greet(&mut stream, b'G');
    let mut buffer = vec![0; CHUNK];
    loop {
        let received = stream.read(&mut buffer).unwrap();
        assert!(received > 0, "the pump closed the stream");
        if buffer[..received].ends_with(COPY_DONE) {
            break;
        }
    }
    finish(&mut stream, rows);
}

async fn connect(stream: UnixStream) -> Connection<Idle> {
    stream.set_nonblocking(true).unwrap();
    let stream = tokio::net::UnixStream::from_std(stream).unwrap();
    let startup = Startup {
        parameters: &[("user", "bench")],
        authentication: &Authentication {
            user: "bench",
            password: None,
            channel_binding: ChannelBinding::Plain,
            policy: ChannelBindingPolicy::Disable,
            allow_cleartext: false,
            methods: None,
        },
    };
    Connection::start(Box::new(stream), &startup).await.unwrap()
}

/// Processor time of the current thread.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// One copy; the processor time that the pump took.
fn copy(runtime: &Runtime, width: usize, packing: Packing) -> Duration {
    let rows = VOLUME / width;
    let (source, source_server) = UnixStream::pair().unwrap();
    let (target, target_server) = UnixStream::pair().unwrap();
    let source_server = thread::spawn(move || serve_source(source_server, width, rows));
    let target_server = thread::spawn(move || serve_target(target_server, rows));
    let elapsed = runtime.block_on(async {
        let command = Sql::fixed("COPY");
        let source = connect(source).await.copy_out(&command).await.unwrap();
        let target = connect(target).await.copy_in(&command).await.unwrap();
        let progress = Progress::default();
        let stop = CancellationToken::new();
        let before = processor_time();
        let outcome = pump(source, target, &PumpOptions { packing }, &progress, &stop).await;
        let elapsed = processor_time() - before;
        assert_eq!(outcome.result.unwrap().bytes, (rows * width) as u64);
        elapsed
    });
    source_server.join().unwrap();
    target_server.join().unwrap();
    elapsed
}

fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut group = criterion.benchmark_group("pump");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Bytes(VOLUME as u64));
    for width in WIDTHS {
        for (name, packing) in [
            ("pass through", Packing::PassThrough),
            ("repack", Packing::Repack),
            ("adaptive", Packing::Adaptive),
        ] {
            group.bench_function(BenchmarkId::new(name, width), |bencher| {
                bencher
                    .iter_custom(|times| (0..times).map(|_| copy(&runtime, width, packing)).sum());
            });
        }
    }
    group.finish();
}

criterion_group!(pump_benches, benches);
criterion_main!(pump_benches);
