-- Counters of one subscription, since 15; conflicts since 18. They are named as the version names them. $1: its oid.
SELECT k.key AS name, k.value::int8 AS count
  FROM pg_catalog.pg_stat_subscription_stats s,
       LATERAL pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(s)) k
 WHERE s.subid = $1::oid AND (k.key LIKE '%\_error\_count' OR k.key LIKE 'confl\_%') AND k.value IS NOT NULL
 ORDER BY 1
