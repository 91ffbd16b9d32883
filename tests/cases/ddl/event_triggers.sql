-- Event triggers: of every event, with tags, in every state.
CREATE SCHEMA et;
CREATE FUNCTION et."On it"() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$;
CREATE EVENT TRIGGER ends ON ddl_command_end EXECUTE FUNCTION et."On it"();
CREATE EVENT TRIGGER "Starts, some" ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION et."On it"();
CREATE EVENT TRIGGER drops ON sql_drop EXECUTE FUNCTION et."On it"();
CREATE EVENT TRIGGER rewrites ON table_rewrite EXECUTE FUNCTION et."On it"();
ALTER EVENT TRIGGER ends DISABLE;
ALTER EVENT TRIGGER drops ENABLE REPLICA;
ALTER EVENT TRIGGER rewrites ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER ends IS 'at the end';
\if :v17
CREATE EVENT TRIGGER logs_in ON login EXECUTE FUNCTION et."On it"();
\endif
