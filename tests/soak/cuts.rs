//! Many copies whose connections break at random: each ends complete, and no row is there twice.
//! `SEREN_CUTS` says how many (20), `SEREN_SEED` where the random numbers begin.

use crate::support::cut::{Break, Fault, Way};
use crate::support::distance::{Distance, READS, WRITES};
use crate::support::random::Random;
use crate::support::route::{Route, common};
use crate::support::run;

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

/// A cut in the copies of one side. Answers of the target are few bytes, rows are many: as often as not
/// the cut comes among the first bytes.
fn random(random: &mut Random, since: &'static [&'static str]) -> Break {
    let way = if random.chance(50) {
        Way::ToServer
    } else {
        Way::ToClient
    };
    let most = if random.chance(50) { 200 } else { 4_000_000 };
    Break {
        fault: Fault::Cut,
        way,
        since,
        after: random.below(most) as u64,
        connection: None,
        times: 1,
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

async fn round(seed: u64, name: &str, route: &'static Route) {
    let mut numbers = Random::new(seed);
    let distance = Distance::between(route);
    let mut told = format!("SEREN_SEED={seed}:");
    for _ in 0..=numbers.below(3) {
        let (line, since) = if numbers.chance(50) {
            (&distance.source, READS)
        } else {
            (&distance.target, WRITES)
        };
        let plan = random(&mut numbers, since);
        told += &format!(" {since:?} {:?} {}", plan.way, plan.after);
        line.plan(plan);
    }
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
    let first = setting("SEREN_SEED", 1);
    for seed in first..first + setting("SEREN_CUTS", 20) {
        round(seed, &name, route).await;
    }
}
