//! Many copies whose connections break or stall at random: each ends complete, and no row is there twice.
//! `SEREN_CUTS` says how many break (20), `SEREN_STALLS` how many stall (4), `SEREN_SEED` where
//! the random numbers begin.

use crate::support::cut::{Break, Fault, Line, Way};
use crate::support::distance::{Distance, READS, WRITES};
use crate::support::random::Random;
use crate::support::route::{Route, common};
use crate::support::{number, run};

/// A table of several MB, some of a few rows, keys and indexes between them.
const TABLES: &str = "
    CREATE TABLE public.wide (id int PRIMARY KEY, filler text);
    CREATE TABLE public.narrow (id int PRIMARY KEY, wide int REFERENCES public.wide);
    CREATE TABLE public.plain (n int, t text DEFAULT 'x');
    INSERT INTO public.wide SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 15000) n;
    INSERT INTO public.narrow SELECT n, n FROM generate_series(1, 15000) n;
    INSERT INTO public.plain SELECT n % 100 FROM generate_series(1, 60000) n;
    CREATE INDEX ON public.plain (n, t);
    DO $$ BEGIN
      FOR i IN 1 .. 40 LOOP
        EXECUTE format('CREATE TABLE public.small_%s AS SELECT n FROM generate_series(1, %s) n', i, i * 5);
      END LOOP;
    END $$;
";

/// Copies that wait for their stalls' end together; a server has some hundred connections.
const AT_ONCE: usize = 8;

/// A side's line, and what a lane sends on it before its rows.
fn side<'l>(
    random: &mut Random,
    distance: &'l Distance<'_>,
) -> (&'l Line, &'static [&'static str]) {
    match random.chance(50) {
        true => (&distance.source, READS),
        false => (&distance.target, WRITES),
    }
}

/// A cut in the copies of one side, of which the server hears or not. Answers of the target are few bytes, rows are many: as often as not
/// the cut comes among the first bytes.
fn random(random: &mut Random, since: &'static [&'static str]) -> Break {
    let way = if random.chance(50) {
        Way::ToServer
    } else {
        Way::ToClient
    };
    let most = if random.chance(50) { 200 } else { 4_000_000 };
    let fault = if random.chance(50) {
        Fault::Cut
    } else {
        Fault::Orphan
    };
    Break {
        fault,
        way,
        since,
        after: random.below(most) as u64,
        connection: None,
        times: 1,
    }
}

async fn round(seed: u64, name: &str, route: &'static Route) {
    let mut numbers = Random::new(seed);
    let distance = Distance::between(route);
    let mut told = vec![format!("SEREN_SEED={seed}:")];
    for _ in 0..=numbers.below(3) {
        let (line, since) = side(&mut numbers, &distance);
        let plan = random(&mut numbers, since);
        told.push(format!(
            "{:?} {since:?} {:?} {}",
            plan.fault, plan.way, plan.after
        ));
        line.plan(plan);
    }
    let told = told.join(" ");
    let jobs = (1 + numbers.below(4)).to_string();
    let finished = distance.init(name, &["--jobs", &jobs]).run();
    assert_eq!(finished.code, 0, "{told} jobs {jobs}\n{}", finished.all());
    distance.assert_equal(name, &told);
    route.drop_target(name).await;
}

#[tokio::test]
async fn copies_whose_connections_break_at_random_end_complete() {
    let route = common();
    let name = route.fresh("cuts").await;
    run(&route.source.url(&name), TABLES).await;
    let first = number("SEREN_SEED", 1);
    for seed in first..first + number("SEREN_CUTS", 20) {
        round(seed, &name, route).await;
    }
}

/// Stalls one connection in each of some copies that run at once; how many have stalled.
async fn stalls(seeds: impl Iterator<Item = u64>, route: &Route) -> usize {
    let mut running = Vec::new();
    for seed in seeds {
        let name = route.fresh("stalls").await;
        run(&route.source.url(&name), TABLES).await;
        let mut numbers = Random::new(seed);
        let distance = Distance::between(route);
        let (line, since) = side(&mut numbers, &distance);
        let fault = Fault::Stall;
        let plan = random(&mut numbers, since);
        let told = format!("SEREN_SEED={seed}: {since:?} {:?} {}", plan.way, plan.after);
        line.plan(Break { fault, ..plan });
        let jobs = (1 + numbers.below(4)).to_string();
        let copying = distance.init(&name, &["--jobs", &jobs]).start();
        running.push((distance, name, told, copying));
    }
    let mut struck = 0;
    for (distance, name, told, copying) in running {
        let finished = copying.finish();
        assert_eq!(finished.code, 0, "{told}\n{}", finished.all());
        distance.assert_equal(&name, &told);
        struck += distance.source.struck() + distance.target.struck();
    }
    struck
}

#[tokio::test]
async fn copies_whose_connections_stall_at_random_end_complete() {
    // A session that waits for the rows of a COPY holds up every `DROP DATABASE` of its cluster.
    let route = Route::of_majors([17, 17]);
    let (first, count) = (number("SEREN_SEED", 1), number("SEREN_STALLS", 4));
    let mut struck = 0;
    for begin in (first..first + count).step_by(AT_ONCE) {
        let end = (first + count).min(begin + AT_ONCE as u64);
        struck += stalls(begin..end, &route).await;
    }
    println!("{struck} of {count} copies have met a stall");
    assert_ne!(struck, 0);
}
