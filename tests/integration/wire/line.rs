//! The failing network of the tests, in front of an echo server.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::support::cut::{Break, Fault, Line, Way};
use crate::support::wait_until;

/// A server that sends everything back; its port.
fn echo() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let stream = stream.unwrap();
                // A reset is what most tests here are about.
                drop(std::io::copy(&mut &stream, &mut &stream));
            });
        }
    });
    port
}

fn connect(line: &Line) -> TcpStream {
    let before = line.connections();
    let stream = TcpStream::connect(("127.0.0.1", line.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    wait_until("the line has the connection", || {
        (line.connections() > before).then_some(())
    });
    stream
}

/// Sends bytes and reads as many.
fn exchange(mut stream: &TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(bytes)?;
    let mut answer = vec![0; bytes.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// Whether the connection was reset; a reset can show as any of these errors.
#[track_caller]
fn assert_cut(result: std::io::Result<Vec<u8>>) {
    let kind = result.unwrap_err().kind();
    let kinds = [
        ErrorKind::ConnectionReset,
        ErrorKind::BrokenPipe,
        ErrorKind::UnexpectedEof,
    ];
    assert!(kinds.contains(&kind), "{kind:?}");
}

fn cut(way: Way, since: &'static [&'static str], after: u64) -> Break {
    Break {
        fault: Fault::Cut,
        way,
        since,
        after,
        connection: None,
        times: usize::MAX,
    }
}

#[test]
fn without_a_plan_everything_passes() {
    let line = Line::to(echo());
    let bytes = vec![7; 3 << 20];
    let stream = connect(&line);
    let mut writer = stream.try_clone().unwrap();
    let sent = bytes.clone();
    let writing = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut answer = Vec::new();
    (&stream).read_to_end(&mut answer).unwrap();
    writing.join().unwrap();
    assert_eq!((answer == bytes, line.struck()), (true, 0));
}

#[test]
fn a_cut_comes_with_the_byte_after_those_that_pass() {
    for way in [Way::ToServer, Way::ToClient] {
        let line = Line::to(echo());
        line.plan(cut(way, &[], 10));
        let stream = connect(&line);
        assert_eq!(exchange(&stream, b"0123456789").unwrap(), b"0123456789");
        assert_eq!(line.struck(), 0);
        assert_cut(exchange(&stream, b"x"));
        assert_eq!(line.struck(), 1);
    }
}

#[test]
fn bytes_count_from_behind_texts_that_may_come_in_pieces() {
    let line = Line::to(echo());
    line.plan(cut(Way::ToServer, &["SNAPSHOT", "COPY"], 3));
    let stream = connect(&line);
    let pieces = [
        &b"COPY, SNAP"[..],
        b"SHO",
        b"T. ",
        b"CO",
        b"P",
        b"Yab",
        b"c",
    ];
    for piece in pieces {
        exchange(&stream, piece).unwrap();
    }
    assert_cut(exchange(&stream, b"d"));
}

#[test]
fn only_as_many_connections_as_planned_are_hit() {
    let line = Line::to(echo());
    line.plan(Break {
        times: 1,
        ..cut(Way::ToServer, &[], 0)
    });
    assert_cut(exchange(&connect(&line), b"x"));
    exchange(&connect(&line), b"x").unwrap();
    assert_eq!(line.struck(), 1);
}

#[test]
fn a_plan_may_be_meant_for_one_connection() {
    let line = Line::to(echo());
    line.plan(Break {
        connection: Some(1),
        ..cut(Way::ToServer, &[], 0)
    });
    let [first, second, third] = [(); 3].map(|()| connect(&line));
    exchange(&first, b"x").unwrap();
    assert_cut(exchange(&second, b"x"));
    exchange(&third, b"x").unwrap();
}

#[test]
fn a_stalled_connection_goes_on_when_released_and_loses_nothing() {
    let line = Line::to(echo());
    line.plan(Break {
        fault: Fault::Stall,
        ..cut(Way::ToServer, &[], 2)
    });
    let (stalls, flows) = (connect(&line), connect(&line));
    let exchanging = std::thread::spawn(move || exchange(&stalls, b"0123").unwrap());
    wait_until("the stall begins", || (line.struck() == 1).then_some(()));
    exchange(&flows, b"x").unwrap();
    assert!(!exchanging.is_finished());
    line.release();
    assert_eq!(exchanging.join().unwrap(), b"0123");
}

#[test]
fn on_demand_all_open_connections_are_cut_and_later_ones_are_not() {
    let line = Line::to(echo());
    let open = [connect(&line), connect(&line)];
    for stream in &open {
        exchange(stream, b"x").unwrap();
    }
    line.cut();
    for stream in &open {
        let error = wait_until("the connection is cut", || exchange(stream, b"x").err());
        assert_cut(Err(error));
    }
    exchange(&connect(&line), b"x").unwrap();
}

#[test]
fn on_demand_nothing_passes_until_it_is_released() {
    let line = Line::to(echo());
    let stream = connect(&line);
    exchange(&stream, b"x").unwrap();
    line.stall();
    let exchanging = std::thread::spawn(move || exchange(&stream, b"y").unwrap());
    // A connection is accepted all the same: the line lives, and only what passes has to wait.
    let other = connect(&line);
    assert!(!exchanging.is_finished());
    line.release();
    assert_eq!(exchanging.join().unwrap(), b"y");
    exchange(&other, b"x").unwrap();
}
