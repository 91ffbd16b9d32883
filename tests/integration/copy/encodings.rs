//! Rows whose text is not UTF-8: it passes unchanged between databases of the same encoding.

use crate::support::oracle;
use crate::support::route::{Route, common, older};
use crate::support::{fresh_name, run, value};

async fn of_encoding(route: &Route, encoding: &str, fill: &str) -> String {
    let name = fresh_name("encoded");
    let create = format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    );
    run(&route.source.url("postgres"), &create).await;
    run(&route.source.url(&name), fill).await;
    name
}

/// Copies a database and compares the bytes of a value.
async fn unchanged(route: &Route, encoding: &str, (fill, table): (&str, &str)) {
    let name = of_encoding(route, encoding, fill).await;
    route.init(&name, &[]).run().expect(0);
    route.command("verify", &[&name], &[]).run().expect(0);
    let bytes = format!(
        "SELECT string_agg(encode(convert_to(t, '{encoding}'), 'hex'), ' ' ORDER BY id) FROM {table}"
    );
    let [source, target] = [
        value(&route.source.url(&name), &bytes).await,
        value(&route.target.url(&name), &bytes).await,
    ];
    assert_eq!(source, target);
    route.drop_target(&name).await;
}

/// Bytes without an equivalent in UTF-8, in tables whose names are not ASCII; one is copied as text.
const WIN1252: &str = "
    CREATE TABLE public.\"größe\" (id int PRIMARY KEY, \"naïve\" regclass, t text);
    INSERT INTO public.\"größe\" VALUES (1, 'public.\"größe\"', 'bad ' || chr(129) || chr(141));
    CREATE TABLE public.\"café\" (id int PRIMARY KEY, t text);
    INSERT INTO public.\"café\" SELECT g, 'Caf' || chr(233) FROM generate_series(1, 5) g;
    INSERT INTO public.\"café\" VALUES (6, chr(129) || chr(157)), (7, chr(128) || chr(255));";

const EUC_JP: &str = "
    CREATE TABLE public.\"表\" (id int PRIMARY KEY, t text);
    INSERT INTO public.\"表\" VALUES (1, convert_from('\\xa9a1', 'EUC_JP')), (2, '日本');";

#[tokio::test]
async fn text_passes_unchanged_between_databases_of_one_encoding() {
    unchanged(common(), "WIN1252", (WIN1252, "public.\"café\"")).await;
    unchanged(common(), "EUC_JP", (EUC_JP, "public.\"表\"")).await;
}

/// Bytes that are no UTF-8 wherever a database without an encoding may hold them.
const SQL_ASCII: &str = r#"
    DO $$
    DECLARE odd text := convert_from('\x436166e9', 'SQL_ASCII');
    BEGIN
      EXECUTE format('CREATE TABLE public.t (id int PRIMARY KEY, t text DEFAULT %L)', odd);
      EXECUTE format('INSERT INTO public.t VALUES (1, %L), (2, %L)', odd, 'größe');
      EXECUTE format('COMMENT ON TABLE public.t IS %L', odd);
      EXECUTE format('CREATE TABLE public.%I (%I int PRIMARY KEY, "größe" text)', odd, odd || 'x');
      EXECUTE format('INSERT INTO public.%I VALUES (1, %L)', odd, odd);
      EXECUTE format('CREATE INDEX %I ON public.%I ("größe") WHERE "größe" <> %L', odd || 'i', odd, odd);
      EXECUTE format('CREATE TYPE public.mood AS ENUM (''fine'', %L)', odd);
      EXECUTE format('CREATE TABLE public.%I (m public.mood)', odd || 'm');
      EXECUTE format('INSERT INTO public.%I VALUES (%L)', odd || 'm', odd);
      EXECUTE format('CREATE SEQUENCE public.%I START 5', odd || 's');
      EXECUTE format('CREATE FUNCTION public.%I() RETURNS text LANGUAGE sql AS %L', odd || 'f',
                     'SELECT ' || quote_literal(odd));
      EXECUTE format('CREATE VIEW public.%I AS SELECT %L::text AS %I', odd || 'v', odd, odd);
    END $$;"#;

/// What a database holds of that, as bytes.
const HOLDS: &str = "
    SELECT string_agg(line, ' ' ORDER BY line) FROM (
      SELECT encode(convert_to(relname, 'SQL_ASCII'), 'hex') FROM pg_class WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT encode(convert_to(attname, 'SQL_ASCII'), 'hex') FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                 WHERE relnamespace = 'public'::regnamespace AND attnum > 0
      UNION ALL SELECT encode(convert_to(prosrc, 'SQL_ASCII'), 'hex') FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT encode(convert_to(enumlabel, 'SQL_ASCII'), 'hex') FROM pg_enum
      UNION ALL SELECT encode(convert_to(obj_description('public.t'::regclass), 'SQL_ASCII'), 'hex')
      UNION ALL SELECT encode(convert_to(t, 'SQL_ASCII'), 'hex') FROM public.t) AS held (line)";

#[tokio::test]
async fn any_bytes_of_a_database_without_an_encoding_are_copied() {
    let route = common();
    let name = of_encoding(route, "SQL_ASCII", SQL_ASCII).await;
    route
        .replicate(&name, &["--replica-identity-full"])
        .run()
        .expect(0);
    route.command("verify", &[&name], &[]).run().expect(0);
    let [source, target] = [
        value(&route.source.url(&name), HOLDS).await,
        value(&route.target.url(&name), HOLDS).await,
    ];
    assert_eq!(source, target);
    route.drop_target(&name).await;
}

#[tokio::test]
async fn bytes_without_an_encoding_are_refused_by_a_database_that_has_one() {
    let route = common();
    let name = of_encoding(route, "SQL_ASCII", SQL_ASCII).await;
    let other = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
    run(&route.target.url("postgres"), &other).await;
    let refused = route.init(&name, &[]).run().expect(1);
    let said = &refused.stderr;
    assert!(said.contains("SQL_ASCII"), "{said}");
}

#[tokio::test]
async fn invalid_text_of_a_utf8_database_is_named_with_its_line_and_column() {
    let route = common();
    // A cast without a function stores any bytes as text.
    let fill = r"CREATE TABLE public.words (id int, word text);
                 CREATE CAST (bytea AS text) WITHOUT FUNCTION;
                 INSERT INTO public.words VALUES (1, 'a'), (2, '\x61ff'::bytea::text);
                 DROP CAST (bytea AS text);";
    let name = of_encoding(route, "UTF8", fill).await;
    let failed = route.init(&name, &[]).run().expect(1);
    let said = &failed.stderr;
    assert!(said.contains("COPY words, line 2, column word"), "{said}");
    assert!(said.contains("correct the value on the source"), "{said}");
}

#[tokio::test]
async fn a_row_that_the_source_cannot_read_is_found_by_the_query_of_the_error() {
    for route in [common(), older()] {
        // A row keeps the number of a label that is gone.
        let fill = "CREATE TYPE public.mood AS ENUM ('glad', 'sad');
                    CREATE TABLE public.\"it's\" (id int, mood public.mood);
                    INSERT INTO public.\"it's\" SELECT g, 'glad' FROM generate_series(1, 300) g;
                    UPDATE public.\"it's\" SET mood = 'sad' WHERE id = 7;
                    DELETE FROM pg_enum WHERE enumlabel = 'sad';";
        let name = of_encoding(route, "UTF8", fill).await;
        let failed = route.init(&name, &[]).run().expect(1);
        let said = &failed.stderr;
        assert!(
            said.contains("source: invalid internal value for enum"),
            "{said}"
        );
        let (_, query) = said.split_once("to find the row by its ctid: ").unwrap();
        let query = query.lines().next().unwrap().to_owned();
        let source = route.source.url(&name);
        let place = value(
            &source,
            "SELECT ctid::text FROM public.\"it's\" WHERE id = 7",
        )
        .await;
        let found = tokio::task::spawn_blocking(move || oracle::notices(&source, &query)).await;
        let found = found.unwrap();
        assert!(
            found.contains(&format!("row at ctid {place}: invalid internal")),
            "{found}"
        );
        assert_eq!(found.matches("row at ctid").count(), 1, "{found}");
    }
}
